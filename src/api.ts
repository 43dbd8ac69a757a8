import { createDetection } from './createTask.js';
import type { Category, CategoryId } from './data/sample.js';
import { openBackend, type EngineName } from './engine/backend.js';
import type { Session } from './engine/engine.js';
import { detectorDefaults } from './detectorDefaults.js';
import { FinetuneError } from './errors.js';
import { createModel as buildModel, saveModel, withWeights } from './model.js';
import type { BackboneChoice } from './models/table.js';
import { openPredictor } from './predictor.js';
import type { Detection, DetectionOptions } from './tasks/detection.js';
import type { WeightsReport } from './weights/load.js';

/** Each head's options by themselves, for all of them `detectorDefaults` stands in. */
type HeadOptions<H = DetectionOptions> = H extends { readonly head: infer Name }
  ? Partial<Omit<H, 'numClasses' | 'backbone' | 'head'>> & { readonly head?: Name }
  : never;

export type DetectorModelOptions = HeadOptions & {
  /** A name of `finetune models`, e.g. tf_mobilenetv2_100, or a table. */
  readonly backbone: BackboneChoice;
  /** Names of the classes in their order, or how many there are. */
  readonly classes: readonly string[] | number;
  /** Of the initial values. */
  readonly seed?: number;
  readonly engine?: EngineName | 'auto';
};

export interface LoadOptions {
  /** Patterns of parameters the file may lack, and of arrays the model may leave unused. */
  readonly allowMissing?: readonly string[];
  readonly allowUnused?: readonly string[];
}

/** A detector for programs: load weights, predict, save. Dispose of it when done. */
export interface Detector {
  readonly params: number;
  /** Multiply-adds of one image. */
  readonly macs: number;
  /** Loads a weight URI, strictly: see docs/weights.md. */
  load(uri: string, options?: LoadOptions): Promise<WeightsReport>;
  /** images [N, height, width, 3] of the model's size, RGB 0…255, row-major → detections of each, boxes in its pixels. */
  predict(
    images: Float32Array | Uint8Array,
  ): Promise<readonly (readonly (Omit<Detection, 'imageId' | 'classIndex'> & { readonly label: string })[])[]>;
  save(file: string): Promise<void>;
  dispose(): void;
}

/** Builds a detector with initial values. Throws E_MODEL_UNKNOWN, E_ENGINE_UNAVAILABLE. */
export async function createModel({
  classes,
  engine = 'auto',
  seed = 1,
  ...options
}: DetectorModelOptions): Promise<Detector> {
  const names = typeof classes === 'number' ? Array.from({ length: classes }, (_, i) => `class ${i}`) : classes;
  const categories = names.map((name, i): Category => ({ id: (i + 1) as CategoryId, name }));
  const backend = await openBackend({ engine });
  const filled = { ...detectorDefaults[options.head ?? 'ssdlite'], ...options, numClasses: names.length };
  const task = createDetection(filled as DetectionOptions); // of one head: its defaults and its options
  let model = buildModel(task, { categories, seed });
  let open: { readonly batch: number; readonly session: Session } | undefined;
  const close = (): void => {
    open?.session.dispose();
    open = undefined;
  };
  const [height, width] = model.size;
  const whole = {
    placement: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
    originalWidth: width,
    originalHeight: height,
  };
  return {
    params: model.count.params,
    macs: model.count.macs,
    async load(uri, { allowMissing = [], allowUnused = [] } = {}) {
      const loaded = await withWeights(model, uri, { allowMissing, allowUnused });
      close();
      model = loaded.model;
      return loaded.report;
    },
    async predict(images) {
      const batch = images.length / (height * width * 3);
      if (!Number.isInteger(batch) || batch === 0) {
        throw new FinetuneError({
          code: 'E_FEED',
          message: `predict wants [N, ${height}, ${width}, 3]; got ${images.length} values`,
        });
      }
      if (open?.batch !== batch) {
        close();
        open = { batch, session: await openPredictor(model, backend, { batch }) };
      }
      const results = await open.session.run('evaluate', { image: Float32Array.from(images) });
      const origins = Array.from({ length: batch }, (_, imageId) => ({ imageId, ...whole }));
      return model.task
        .decode(results, origins)
        .map((found) => found.map(({ box, score, classIndex }) => ({ box, score, label: names[classIndex]! })));
    },
    save: (file) => saveModel(model, file),
    dispose: close,
  };
}
