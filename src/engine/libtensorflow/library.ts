import { FinetuneError } from '../../errors.js';
import { openLibrary, openSystem, started, type Library, type Memory, type Pointer } from '../native.js';

/** The functions of TensorFlow's C API (tensorflow/c/c_api.h) that this project calls. */
export interface TensorFlow {
  version(): string;
  newStatus(): Pointer;
  deleteStatus(status: Pointer): void;
  getCode(status: Pointer): number;
  message(status: Pointer): string;
  newGraph(): Pointer;
  deleteGraph(graph: Pointer): void;
  newBuffer(bytes: Uint8Array, length: number): Pointer;
  deleteBuffer(buffer: Pointer): void;
  newImportOptions(): Pointer;
  deleteImportOptions(options: Pointer): void;
  importGraphDef(graph: Pointer, graphDef: Pointer, options: Pointer, status: Pointer): Promise<void>;
  operation(graph: Pointer, name: string): Pointer | null;
  newSessionOptions(): Pointer;
  deleteSessionOptions(options: Pointer): void;
  setConfig(options: Pointer, configProto: Uint8Array, length: number, status: Pointer): void;
  newSession(graph: Pointer, options: Pointer, status: Pointer): Pointer | null;
  /** Loads a SavedModel with these tags into an empty graph, and opens a session for it. */
  loadSavedModel(
    options: Pointer,
    folder: string,
    tags: readonly string[],
    graph: Pointer,
    status: Pointer,
  ): Promise<Pointer | null>;
  closeSession(session: Pointer, status: Pointer): void;
  deleteSession(session: Pointer, status: Pointer): void;
  listDevices(session: Pointer, status: Pointer): Pointer | null;
  deviceCount(list: Pointer): number;
  deviceType(list: Pointer, index: number, status: Pointer): string | null;
  deleteDeviceList(list: Pointer): void;
  /** Runs a part of the graph on a thread of its own. All memory must stay in place until it ends. */
  sessionRun(
    session: Pointer,
    inputs: BigInt64Array,
    inputValues: BigInt64Array,
    inputCount: number,
    outputs: BigInt64Array,
    outputValues: BigInt64Array,
    outputCount: number,
    status: Pointer,
  ): Promise<void>;
  /** Prepares a run in parts, and writes its handle into an array of one pointer. */
  partsSetup(
    session: Pointer,
    inputs: BigInt64Array,
    inputCount: number,
    outputs: BigInt64Array,
    outputCount: number,
    handle: BigInt64Array,
    status: Pointer,
  ): Promise<void>;
  /** Runs the next part on a thread of its own. All memory must stay in place until it ends. */
  partsRun(
    session: Pointer,
    handle: Pointer,
    inputs: BigInt64Array,
    inputValues: BigInt64Array,
    inputCount: number,
    outputs: BigInt64Array,
    outputValues: BigInt64Array,
    outputCount: number,
    status: Pointer,
  ): Promise<void>;
  deletePartsHandle(handle: Pointer): void;
  allocateTensor(dtype: number, shape: BigInt64Array, rank: number, bytes: number): Pointer;
  deleteTensor(tensor: Pointer): void;
  tensorData(tensor: Pointer): Pointer;
  tensorType(tensor: Pointer): number;
  tensorBytes(tensor: Pointer): number;
  /** C's memcpy. */
  copy(target: Memory, source: Memory, bytes: number): void;
}

const STDERR = 2;
const O_WRONLY = 1;

/** Loads TensorFlow's C library into this process, for as long as the process lives. Throws an Error with the reason of the
 *  system's loader. */
export function loadTensorFlow(path: string): TensorFlow {
  const system = openSystem();
  if (process.platform === 'win32') return bind(openLibrary(path), system);
  return bind(
    withoutStderr(system, () => openLibrary(path)),
    system,
  );
}

/** While the library is loaded it prints two lines about its own log, which no variable turns off. */
function withoutStderr(system: Library, load: () => Library): Library {
  const replace = system.func('int dup2(int, int)');
  const close = system.func('int close(int)');
  const stderr = system.func('int dup(int)')(STDERR);
  const nowhere = system.func('int open(const char*, int)')('/dev/null', O_WRONLY);
  try {
    replace(nowhere, STDERR);
    return load();
  } finally {
    replace(stderr, STDERR);
    close(stderr);
    close(nowhere);
  }
}

function bind(library: Library, system: Library): TensorFlow {
  const call = (declaration: string): never => library.func(declaration) as never;
  /** The same for a function that may take long. */
  const start = (declaration: string): never => started(library.func(declaration)) as never;
  return {
    version: call('const char* TF_Version()'),
    newStatus: call('void* TF_NewStatus()'),
    deleteStatus: call('void TF_DeleteStatus(void*)'),
    getCode: call('int TF_GetCode(void*)'),
    message: call('const char* TF_Message(void*)'),
    newGraph: call('void* TF_NewGraph()'),
    deleteGraph: call('void TF_DeleteGraph(void*)'),
    newBuffer: call('void* TF_NewBufferFromString(void*, size_t)'),
    deleteBuffer: call('void TF_DeleteBuffer(void*)'),
    newImportOptions: call('void* TF_NewImportGraphDefOptions()'),
    deleteImportOptions: call('void TF_DeleteImportGraphDefOptions(void*)'),
    importGraphDef: start('void TF_GraphImportGraphDef(void*, void*, void*, void*)'),
    operation: call('void* TF_GraphOperationByName(void*, const char*)'),
    newSessionOptions: call('void* TF_NewSessionOptions()'),
    deleteSessionOptions: call('void TF_DeleteSessionOptions(void*)'),
    setConfig: call('void TF_SetConfig(void*, void*, size_t, void*)'),
    newSession: call('void* TF_NewSession(void*, void*, void*)'),
    loadSavedModel: loadSavedModel(
      start('void* TF_LoadSessionFromSavedModel(void*, void*, const char*, const char**, int, void*, void*, void*)'),
    ),
    closeSession: call('void TF_CloseSession(void*, void*)'),
    deleteSession: call('void TF_DeleteSession(void*, void*)'),
    listDevices: call('void* TF_SessionListDevices(void*, void*)'),
    deviceCount: call('int TF_DeviceListCount(void*)'),
    deviceType: call('const char* TF_DeviceListType(void*, int, void*)'),
    deleteDeviceList: call('void TF_DeleteDeviceList(void*)'),
    sessionRun: sessionRun(
      start('void TF_SessionRun(void*, void*, void*, void*, int, void*, void*, int, void*, int, void*, void*)'),
    ),
    partsSetup: partsSetup(start('void TF_SessionPRunSetup(void*, void*, int, void*, int, void*, int, void*, void*)')),
    partsRun: partsRun(
      start('void TF_SessionPRun(void*, void*, void*, void*, int, void*, void*, int, void*, int, void*)'),
    ),
    deletePartsHandle: call('void TF_DeletePRunHandle(void*)'),
    allocateTensor: call('void* TF_AllocateTensor(int, void*, int, size_t)'),
    deleteTensor: call('void TF_DeleteTensor(void*)'),
    tensorData: call('void* TF_TensorData(void*)'),
    tensorType: call('int TF_TensorType(void*)'),
    tensorBytes: call('size_t TF_TensorByteSize(void*)'),
    copy: system.func('void* memcpy(void*, void*, size_t)'),
  };
}

/** TF_SessionRun without run options, targets and metadata. */
const sessionRun =
  (run: (...args: readonly unknown[]) => Promise<void>): TensorFlow['sessionRun'] =>
  (session, inputs, inputValues, inputCount, outputs, outputValues, outputCount, status) =>
    run(session, null, inputs, inputValues, inputCount, outputs, outputValues, outputCount, null, 0, null, status);

/** TF_SessionPRunSetup without targets. */
const partsSetup =
  (setup: (...args: readonly unknown[]) => Promise<void>): TensorFlow['partsSetup'] =>
  (session, inputs, inputCount, outputs, outputCount, handle, status) =>
    setup(session, inputs, inputCount, outputs, outputCount, null, 0, handle, status);

/** TF_SessionPRun without targets. */
const partsRun =
  (run: (...args: readonly unknown[]) => Promise<void>): TensorFlow['partsRun'] =>
  (session, handle, inputs, inputValues, inputCount, outputs, outputValues, outputCount, status) =>
    run(session, handle, inputs, inputValues, inputCount, outputs, outputValues, outputCount, null, 0, status);

/** TF_LoadSessionFromSavedModel without run options and without a copy of the MetaGraphDef. */
const loadSavedModel =
  (load: (...args: readonly unknown[]) => Promise<Pointer | null>): TensorFlow['loadSavedModel'] =>
  (options, folder, tags, graph, status) =>
    load(options, null, folder, tags, tags.length, graph, null, status);

/** Calls a function with a status of its own: the C API does not allow two threads to share one. Throws E_TENSORFLOW with
 *  the status's message if it says that the call failed. */
export async function withStatus<T>(tf: TensorFlow, call: (status: Pointer) => T | Promise<T>): Promise<T> {
  const status = tf.newStatus();
  try {
    const result = await call(status);
    if (tf.getCode(status) !== 0)
      throw new FinetuneError({ code: 'E_TENSORFLOW', message: `TensorFlow: ${tf.message(status)}` });
    return result;
  } finally {
    tf.deleteStatus(status);
  }
}
