import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DType } from '../../graph/spec.js';
import type { Feed } from '../engine.js';
import type { Binding, RuntimeOutput, RuntimeTensor } from './binding.js';
import { functionAt, openLibrary, openSystem, started, type Foreign, type Memory, type Pointer } from '../native.js';

/** ONNX Runtime's C API (onnxruntime_c_api.h), called in onnxruntime-node's own library. The JavaScript of that package
 *  blocks the thread that calls it until a run ends, so that two runs cannot be under way at once. */

/** Places of functions in the table that the API is. Later versions only add functions at its end. */
const PLACES = {
  errorMessage: [2, 'const char* ort_error_message(void*)'],
  createEnvironment: [3, 'void* ort_create_environment(int, const char*, void*)'],
  createSession: [8, 'void* ort_create_session(void*, void*, size_t, void*, void*)'],
  run: [9, 'void* ort_run(void*, void*, const char**, void*, size_t, const char**, size_t, void*)'],
  createOptions: [10, 'void* ort_create_options(void*)'],
  setLogLevel: [22, 'void* ort_set_log_level(void*, int)'],
  setOptimization: [23, 'void* ort_set_optimization(void*, int)'],
  setThreads: [24, 'void* ort_set_threads(void*, int)'],
  createTensor: [49, 'void* ort_create_tensor(void*, void*, size_t, void*, size_t, int, void*)'],
  tensorData: [51, 'void* ort_tensor_data(void*, void*)'],
  elementType: [60, 'void* ort_element_type(void*, void*)'],
  elementCount: [64, 'void* ort_element_count(void*, void*)'],
  typeOf: [65, 'void* ort_type_of(void*, void*)'],
  memoryInfo: [69, 'void* ort_memory_info(int, int, void*)'],
  releaseStatus: [93, 'void ort_release_status(void*)'],
  releaseSession: [95, 'void ort_release_session(void*)'],
  releaseValue: [96, 'void ort_release_value(void*)'],
  releaseType: [99, 'void ort_release_type(void*)'],
  releaseOptions: [100, 'void ort_release_options(void*)'],
  setOption: [130, 'void* ort_set_option(void*, const char*, const char*)'],
} as const satisfies Record<string, readonly [number, string]>;
const VERSION_OF_API = 14; // the least that has all of these
const [FATAL, ALL_OPTIMIZATIONS] = [4, 99];
/** OrtArenaAllocator and OrtMemTypeDefault: memory of the processor. */
const [ARENA, DEFAULT] = [1, 0];

/** Types of elements, and the arrays that hold them. */
const TYPES = { float32: 1, int32: 6, bool: 9 } as const satisfies Record<DType, number>;
const ARRAYS: Readonly<Record<number, new (length: number) => Feed>> = {
  1: Float32Array,
  2: Uint8Array,
  6: Int32Array,
  9: Uint8Array,
};

/** Memory for an output whose shape is known, not set to 0 before: ONNX Runtime writes all of it. */
function placeFor({ dtype, shape }: RuntimeOutput): RuntimeTensor | undefined {
  if (dtype !== 'float32' || shape === undefined) return undefined;
  const count = shape.reduce((product, side) => product * side, 1);
  return { dtype, shape, data: new Float32Array(Buffer.allocUnsafeSlow(4 * count).buffer) };
}

/** Loads the library of the package whose main file this is. Throws an Error with the reason of the system's loader, or
 *  with what the library lacks. */
export function loadLibrary(main: string): Binding {
  const library = openLibrary(libraryOf(dirname(dirname(main))));
  const copy = openSystem().func('void* memcpy(void*, void*, size_t)') as (
    target: Memory,
    source: Memory,
    bytes: number,
  ) => void;
  const base = new BigInt64Array(2); // the functions that give the API and the version
  copy(base, library.func('void* OrtGetApiBase()')() as Pointer, base.byteLength);
  const version = functionAt(base[1]!, 'const char* ort_version()')() as string;
  const api = functionAt(base[0]!, 'void* ort_api(uint32_t)')(VERSION_OF_API) as Pointer | null;
  if (api === null) throw new Error(`version ${version} has no C API of version ${VERSION_OF_API}`);
  const table = new BigInt64Array(Math.max(...Object.values(PLACES).map(([place]) => place)) + 1);
  copy(table, api, table.byteLength);
  const functions = Object.fromEntries(
    Object.entries(PLACES).map(([name, [place, declaration]]) => [name, functionAt(table[place]!, declaration)]),
  ) as Record<keyof typeof PLACES, Foreign>;
  return { version, runsAtOnce: true, open: bind(functions, copy) };
}

/** Names of the library: libonnxruntime.so.1, libonnxruntime.1.17.3.dylib, onnxruntime.dll. */
const LIBRARY = /^(?:libonnxruntime\.so(?:\.\d+)*|libonnxruntime(?:\.\d+)*\.dylib|onnxruntime\.dll)$/;

/** The library's path: the package has a folder for each system and processor, by the names that Node has for them. */
function libraryOf(root: string): string {
  const bin = join(root, 'bin');
  const napi = readdirSync(bin).find((name) => name.startsWith('napi-')) ?? '';
  const folder = join(bin, napi, process.platform, process.arch);
  const file = readdirSync(folder).find((name) => LIBRARY.test(name));
  if (file === undefined) throw new Error(`${folder} has no library`);
  return join(folder, file);
}

function bind(
  f: Record<keyof typeof PLACES, Foreign>,
  copy: (target: Memory, source: Memory, bytes: number) => void,
): Binding['open'] {
  const check = (status: unknown): void => {
    if (status === null) return;
    const message = f.errorMessage(status) as string;
    f.releaseStatus(status);
    throw new Error(message);
  };
  /** What a function writes to the address that is its last argument. */
  const resultOf = (call: (place: BigInt64Array) => unknown): Pointer => {
    const place = new BigInt64Array(1);
    check(call(place));
    return place[0]!;
  };
  // Only fatal errors are logged, since every error is thrown, too.
  const environment = resultOf((place) => f.createEnvironment(FATAL, 'tfjs-finetune', place));
  const memory = resultOf((place) => f.memoryInfo(ARENA, DEFAULT, place));
  const [createSession, runSession] = [started(f.createSession), started(f.run)];

  /** A tensor of the values where they are: they must be kept until it is released. */
  const toTensor = ({ dtype, shape, data }: RuntimeTensor): Pointer => {
    const sides = BigInt64Array.from(shape, BigInt);
    return resultOf((place) => f.createTensor(memory, data, data.byteLength, sides, sides.length, TYPES[dtype], place));
  };
  const toFeed = (tensor: Pointer): Feed => {
    const type = resultOf((place) => f.typeOf(tensor, place));
    const count = Number(resultOf((place) => f.elementCount(type, place)));
    const element = Number(resultOf((place) => f.elementType(type, place)));
    f.releaseType(type);
    const ArrayType = ARRAYS[element];
    if (!ArrayType) throw new Error(`an output has elements of type ${element}`);
    const data = new ArrayType(count);
    copy(
      data,
      resultOf((place) => f.tensorData(tensor, place)),
      data.byteLength,
    );
    return data;
  };
  /** Loads a model, on a thread of its own. */
  const openSession: Load = async (model, { threads, spins }) => {
    const options = resultOf((place) => f.createOptions(place));
    try {
      check(f.setLogLevel(options, FATAL));
      check(f.setOptimization(options, ALL_OPTIMIZATIONS));
      check(f.setThreads(options, threads));
      check(f.setOption(options, 'session.intra_op.allow_spinning', spins ? '1' : '0'));
      const used = { model, place: new BigInt64Array(1) }; // kept until the library has read and written them
      check(await createSession(environment, model, model.length, options, used.place));
      return used.place[0]!;
    } finally {
      f.releaseOptions(options);
    }
  };
  return async (model, options) => {
    const session = await openSession(model, options);
    return {
      async run(inputs, outputs) {
        const names = Object.keys(inputs);
        const wanted = outputs.map(({ name }) => name);
        const given = BigInt64Array.from(Object.values(inputs), toTensor);
        const places = outputs.map(placeFor);
        // Kept until the run has ended. ONNX Runtime makes the outputs that have no place.
        const used = { inputs, given, places, results: BigInt64Array.from(places, (at) => (at ? toTensor(at) : 0n)) };
        try {
          check(await runSession(session, null, names, given, names.length, wanted, wanted.length, used.results));
          return places.map((at, i) => at?.data ?? toFeed(used.results[i]!));
        } finally {
          for (const value of [...used.given, ...used.results]) if (value !== 0n) f.releaseValue(value);
        }
      },
      release() {
        f.releaseSession(session);
      },
    };
  };
}

type Load = (...args: Parameters<Binding['open']>) => Promise<Pointer>;
