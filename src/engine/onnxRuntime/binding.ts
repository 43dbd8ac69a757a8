import type { DType } from '../../graph/spec.js';
import type { Port } from '../../onnx/model.js';
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

/** An output to compute; where its shape is known, its values are written where they are read, without a copy. */
export type RuntimeOutput = Pick<Port, 'name' | 'dtype' | 'shape'>;

export interface RuntimeSession {
  /** Runs the model and returns these outputs. */
  run(inputs: Readonly<Record<string, RuntimeTensor>>, outputs: readonly RuntimeOutput[]): Promise<readonly Feed[]>;
  /** Frees the model. No run may be under way. */
  release(): void;
}
