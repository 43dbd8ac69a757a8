import type { DType } from '../../graph/spec.js';
import type { Feed } from '../engine.js';

/** A way to call ONNX Runtime: its C API (library.ts) or the JavaScript of onnxruntime-node (package.ts). All functions
 *  throw an Error with what ONNX Runtime says. */
export interface Binding {
  readonly version: string;
  /** Whether several runs can be under way at once, each on a thread of its own. */
  readonly runsAtOnce: boolean;
  /** Loads the bytes of an .onnx file. */
  open(model: Uint8Array, options: SessionOptions): Promise<RuntimeSession>;
}

export interface SessionOptions {
  /** Threads that compute one node together. */
  readonly threads: number;
  /** Whether threads that wait for work keep a processor busy for a moment, so that they go on at once. */
  readonly spins: boolean;
}

export interface RuntimeTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Feed;
}

export interface RuntimeSession {
  /** Runs the model and returns the outputs of these names. */
  run(inputs: Readonly<Record<string, RuntimeTensor>>, outputs: readonly string[]): Promise<readonly Feed[]>;
  /** Frees the model. No run may be under way. */
  release(): void;
}
