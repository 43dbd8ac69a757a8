import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import { FinetuneError } from '../../errors.js';

/** LiteRT's own runtime, compiled to WebAssembly, from the npm package @litertjs/core. The JavaScript of that package is for
 *  pages (it adds a script to the document); what Emscripten made of the runtime runs in Node as well, and is called here
 *  directly. */

interface Vector<T> {
  size(): number;
  get(i: number): T;
  push_back(item: T): void;
  delete(): void;
}
interface Deletable {
  delete(): void;
}
interface ElementType {
  readonly value: number;
}
interface TensorType extends Deletable {
  elementType(): ElementType;
  layout(): Deletable & { dimensions(): Vector<number> };
  bytes(): number;
}
interface Buffer extends Deletable {
  lock(mode: unknown): number;
  unlock(): void;
  packedSize(): number;
  tensorType(): TensorType;
}
interface Model extends Deletable {
  getSignature(i: number): Deletable & { inputNames(): Vector<string>; outputNames(): Vector<string> };
  getInputTensorType(signature: number, i: number): TensorType;
}
interface CompiledModel extends Deletable {
  run(signature: number, inputs: readonly Buffer[]): Buffer[] | Promise<Buffer[]>;
}
interface Module {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(place: number): void;
  readonly LiteRtEnvironment: { create(device: null): unknown };
  loadModel(environment: unknown, place: number, bytes: number): Model;
  compileModel(environment: unknown, model: Model, options: object): CompiledModel | Promise<CompiledModel>;
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: unknown };
  readonly LiteRtTensorBufferLockMode: { readonly READ: unknown; readonly WRITE: unknown };
  readonly LiteRtTensorBuffer: {
    createManaged(environment: unknown, kind: unknown, type: TensorType, bytes: number): Buffer;
  };
}
type Factory = (options: object) => Promise<Module>;
type Script = (require: NodeJS.Require, module: object, exports: unknown, folder: string, file: string) => void;

export type TypedArray = Float32Array | Int32Array | Uint8Array;
/** Of the element types of the runtime, those that programs can exchange with it. */
const arrays: Readonly<Record<number, new (bytes: ArrayBuffer) => TypedArray>> = {
  1: Float32Array,
  2: Int32Array,
  3: Uint8Array,
};

/** A loaded model: its first signature. */
export interface LiteRtModel {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  run(inputs: readonly TypedArray[]): Promise<TypedArray[]>;
  dispose(): void;
}
export interface LiteRt {
  readonly version: string;
  /** Loads the bytes of a .tflite file. Throws E_LITERT. */
  open(bytes: Uint8Array): Promise<LiteRtModel>;
}

const PACKAGE = '@litertjs/core';
/** The build without relaxed SIMD: every version of Node that is supported runs it, and all compute the same. */
const SCRIPT = 'litert_wasm_compat_internal.js';

let loading: Promise<LiteRt> | undefined;
/** Loads LiteRT, when it is first needed. Throws E_ENGINE_UNAVAILABLE. */
export const loadLiteRt = (): Promise<LiteRt> => (loading ??= load());

async function load(): Promise<LiteRt> {
  const { factory, version } = await readPackage();
  let said: string[] = [];
  const hear = (line: unknown): void => void said.push(String(line));
  let module: Module;
  try {
    module = await factory({ print: hear, printErr: hear });
  } catch (error) {
    throw unavailable(`LiteRT cannot be loaded: ${because(error)}`, error);
  }
  const environment = module.LiteRtEnvironment.create(null);
  return {
    version,
    async open(bytes) {
      said = [];
      const place = module._malloc(bytes.byteLength);
      module.HEAPU8.set(bytes, place);
      try {
        const model = module.loadModel(environment, place, bytes.byteLength);
        const options = {
          environment: { liteRtEnvironment: environment },
          accelerator: 'wasm',
          cpuOptions: { numThreads: 1 },
          gpuOptions: {},
          webNNOptions: {},
        };
        const compiled = await module.compileModel(environment, model, options);
        return wrap({ module, environment, model, compiled, place, heard: () => said });
      } catch (error) {
        module._free(place);
        throw runtimeError('load the model', error, said);
      }
    },
  };
}

interface Parts {
  readonly module: Module;
  readonly environment: unknown;
  readonly model: Model;
  readonly compiled: CompiledModel;
  /** Where the bytes of the file lie, which the model goes on to read. */
  readonly place: number;
  readonly heard: () => readonly string[];
}

function wrap({ module, environment, model, compiled, place, heard }: Parts): LiteRtModel {
  const signature = model.getSignature(0);
  const inputs = listOf(signature.inputNames());
  const outputs = listOf(signature.outputNames());
  signature.delete();
  const { READ, WRITE } = module.LiteRtTensorBufferLockMode;
  const fill = (values: TypedArray, i: number): Buffer => {
    const type = model.getInputTensorType(0, i);
    const { HOST_MEMORY } = module.LiteRtTensorBufferType;
    const buffer = module.LiteRtTensorBuffer.createManaged(environment, HOST_MEMORY, type, values.byteLength);
    type.delete();
    module.HEAPU8.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), buffer.lock(WRITE));
    buffer.unlock();
    return buffer;
  };
  const read = (buffer: Buffer): TypedArray => {
    const type = buffer.tensorType();
    const { value } = type.elementType();
    type.delete();
    const array = arrays[value];
    if (!array) throw new Error(`an output has the element type ${value}`);
    const from = buffer.lock(READ);
    const content = module.HEAPU8.slice(from, from + buffer.packedSize());
    buffer.unlock();
    return new array(content.buffer);
  };
  return {
    inputs,
    outputs,
    async run(given) {
      const made: Buffer[] = [];
      try {
        for (const [i, values] of given.entries()) made.push(fill(values, i));
        const results = await compiled.run(0, made.slice());
        made.push(...results);
        return results.map(read);
      } catch (error) {
        throw runtimeError('run the model', error, heard());
      } finally {
        for (const buffer of made) buffer.delete();
      }
    },
    dispose() {
      compiled.delete();
      model.delete();
      module._free(place);
    },
  };
}

function listOf<T>(vector: Vector<T>): T[] {
  const list = Array.from({ length: vector.size() }, (_, i) => vector.get(i));
  vector.delete();
  return list;
}

/** Compiles the script of the package, which is CommonJS in a package of ES modules. */
async function readPackage(): Promise<{ readonly factory: Factory; readonly version: string }> {
  const require = createRequire(import.meta.url);
  let folder: string;
  try {
    folder = dirname(dirname(require.resolve('@litertjs/core')));
  } catch (error) {
    throw unavailable('the package that runs TFLite models is not installed', error);
  }
  try {
    const file = join(folder, 'wasm', SCRIPT);
    const names = ['require', 'module', 'exports', '__dirname', '__filename'];
    const script = compileFunction(await readFile(file, 'utf8'), names, { filename: file }) as Script;
    const module: { exports: unknown } = { exports: {} };
    script(require, module, module.exports, dirname(file), file);
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { factory: module.exports as Factory, version };
  } catch (error) {
    throw unavailable(`${PACKAGE} in ${folder} cannot be read: ${because(error)}`, error);
  }
}

const because = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const unavailable = (message: string, cause?: unknown): FinetuneError =>
  new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message, fix: `npm install ${PACKAGE}` }, { cause });

/** The error that an exception of the runtime becomes, with what the runtime said before. */
function runtimeError(doing: string, error: unknown, heard: readonly string[]): FinetuneError {
  const told = heard.filter((line) => /error/i.test(line)).slice(-2);
  const message = `LiteRT failed to ${doing}: ${[because(error), ...told].join('; ')}`;
  return new FinetuneError({ code: 'E_LITERT', message }, { cause: error });
}
