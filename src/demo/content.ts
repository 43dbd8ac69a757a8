/** What the scripts of a demo folder hand to its page. They are scripts, and not JSON or binary files, because a page that was
 *  opened from the disk (file://) may load scripts and nothing else. */

/** The engines that the page can run a model with, by the format of the model. */
export const DEMO_ENGINES = { onnx: 'onnxruntime', tfjs: 'tensorflow' } as const;
export const DEMO_FORMATS = ['tfjs', 'onnx'] as const;
export type DemoFormat = (typeof DEMO_FORMATS)[number];
export type DemoEngine = (typeof DEMO_ENGINES)[DemoFormat];

export interface DemoModel {
  /** Shown in the list of models. */
  readonly name: string;
  readonly engine: DemoEngine;
  /** The script that holds the model: a `PackedModel`. */
  readonly script: string;
  /** Bytes of the model's files. */
  readonly bytes: number;
}

export interface DemoSample {
  readonly name: string;
  /** A JPEG file as base64. */
  readonly jpeg: string;
  readonly width: number;
  readonly height: number;
}

/** The content of content.js. */
export interface DemoContent {
  readonly title: string;
  readonly models: readonly DemoModel[];
  readonly samples: readonly DemoSample[];
  /** For each engine that a model needs: its scripts in the order in which they are loaded. */
  readonly engines: Readonly<Partial<Record<DemoEngine, readonly string[]>>>;
}

/** A model folder: the card, and the other files by name as base64. */
export interface PackedModel {
  readonly card: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
}

/** What a script holds: a model, or the files of an engine by name as base64. */
export type Packed = PackedModel | Readonly<Record<string, string>>;

/** The global variable of the page that the scripts write into. */
export const DEMO_GLOBAL = 'finetuneDemo';
export interface DemoGlobal {
  content?: DemoContent;
  /** What other scripts hold, by their path. */
  readonly packed: Map<string, Packed>;
  /** The last predictions, for programs that drive the page. */
  found?: unknown;
}
