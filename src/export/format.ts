import type { Feeds, Results } from '../engine/engine.js';
import type { FinetuneError } from '../errors.js';
import type { Params } from '../graph/params.js';
import type { Program } from '../graph/program.js';
import type { Quantization } from './names.js';

/** A program of one image as data, with the values of its parameters: what a format writes. */
export interface Net {
  readonly program: Program;
  readonly params: Params;
  /** Texts by name that the file carries for the program that reads it, where the format has a place for them. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A model that was written, in its own runtime. */
export interface Running {
  /** Name and version of the runtime. */
  readonly engine: string;
  run(program: string, feeds: Feeds): Promise<Results>;
  dispose(): void;
}

/** What quantisation to int8 needs. */
export interface Calibration {
  /** Images that ranges are measured on. */
  readonly feeds: readonly Feeds[];
  /** Number of images, from the first, on which the loss is measured. */
  readonly measured: number;
  /** What quantisation costs, for the outputs of the first images. */
  readonly lossOf: (ours: readonly Results[], expected: readonly Results[]) => number;
  /** What tells sensitive layers from others on few images; default: the loss. */
  readonly sensitivityOf?: (ours: readonly Results[], expected: readonly Results[]) => number;
  /** The loss that is accepted. */
  readonly tolerance: number;
}

/** How a model is quantised. */
export type Quantizing =
  | { readonly type: 'float16' }
  | {
      readonly type: 'int8';
      /** Reads the images that ranges are measured on. */
      readonly calibrate: () => Promise<Calibration>;
    };

/** A format of exported models. Each has a folder in formats/, and a line in formats.ts. */
export interface Format {
  readonly name: string;
  /** The types that it can store a model in besides float32. */
  readonly quantizations: readonly Quantization[];
  /** Opens the format's runtime where that is a package of its own. Throws E_ENGINE_UNAVAILABLE if it is not installed. */
  openRuntime?(): Promise<unknown>;
  /** Why it cannot hold the net; undefined if it can. */
  whyNot(net: Net): FinetuneError | undefined;
  /** Writes the files of the net into a folder. */
  write(folder: string, net: Net, quantizing?: Quantizing): Promise<Written>;
  /** Reads the files of the folder, and runs them. */
  open(folder: string, net: Net): Promise<Running>;
}

export interface Written {
  /** Names of the files that hold the model. */
  readonly files: readonly string[];
  /** The layers that quantisation left in float32, most sensitive first. */
  readonly kept: readonly string[];
  /** The method of the format's runtime that runs the model, where there are several. */
  readonly call?: string;
}
