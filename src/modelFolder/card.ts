import type { ModelDescription } from '../tasks/description/description.js';

/** The version of the card. It rises when an older program would misread a newer card. */
export const CARD_VERSION = 1;
export const CARD_FILE = 'model-card.json';

export interface CardPort {
  readonly name: string;
  readonly shape: readonly number[];
}

/** `model-card.json`: everything that a program needs to find with the model what the checkpoint finds. */
export interface ModelCard {
  readonly version: typeof CARD_VERSION;
  readonly format: string;
  /** The type that the model is quantised to. */
  readonly quantize: string | null;
  /** The method of the format's runtime that runs the model, where there are several. */
  readonly call?: string;
  /** The application that the model was written for: input and outputs are as that reads them. */
  readonly for: string | null;
  readonly task: ModelDescription['task'];
  /** The classes in the order of the outputs. */
  readonly categories: ModelDescription['categories'];
  readonly input: CardPort & {
    readonly layout: 'NHWC' | 'NCHW';
    readonly type: 'float32' | 'int32' | 'uint8';
    readonly channels: 'RGB';
    readonly range: readonly [number, number];
    /** The model itself computes (x − mean) / std: it is fed with pixels of the range. */
    readonly normalizedBy: 'model';
    readonly mean: readonly number[];
    readonly std: readonly number[];
    readonly resize: {
      readonly mode: ModelDescription['images']['resize'];
      readonly method: ModelDescription['images']['interpolation'];
      readonly antialias: true;
      /** Share of the shorter side that `crop` keeps. */
      readonly cropFraction?: number | undefined;
      /** Pixels of the sides with `shorterSide`. */
      readonly limits?: ModelDescription['images']['limits'];
      /** RGB of the padding: of `letterbox` the same on both sides, of `shorterSide` to the right and below. */
      readonly fill?: readonly number[] | undefined;
    };
    /** How large images are cut into tiles, each an input of its own, if the model learned from tiles. */
    readonly tiles?: ModelDescription['images']['tiles'];
  };
  readonly outputs: readonly (CardPort & { readonly type: 'float32'; readonly meaning: string })[];
  readonly decode: Readonly<Record<string, unknown>>;
  readonly parity: Parity;
  /** The score of the run; null for a lone checkpoint. */
  readonly metrics: Readonly<Record<string, unknown>> | null;
  /** How reliable scores are on the validation part of the run; null where that was not measured. */
  readonly calibration: object | null;
  readonly source: {
    readonly recipe: string | null;
    readonly recipeSha256: string | null;
    readonly weights: string;
    readonly weightsSha256: string;
  };
  /** Licences of the weights that the training started from; null where they are unknown. */
  readonly licenses: readonly { readonly weights: string; readonly license: string | null }[];
  /** sha256 of each file of the model. */
  readonly files: Readonly<Record<string, string>>;
  /** What the model was built from, as checkpoints have it. */
  readonly description: ModelDescription;
}

/** How the files of the model, run in their own runtime, compare with the checkpoint. */
export interface Parity {
  /** Images on which both ran. */
  readonly images: number;
  /** Largest difference of an output, as a share of its largest value. */
  readonly maxDifference: number;
  /** The score of both on these images; null where they have no annotations. */
  readonly metric: { readonly name: string; readonly checkpoint: number; readonly exported: number } | null;
  /** The engines that ran the checkpoint and the files. */
  readonly engines: { readonly checkpoint: string; readonly exported: string };
}
