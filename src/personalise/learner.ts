import { compileEager } from '../engine/eager/eager.js';
import type { Feeds, Session } from '../engine/engine.js';
import { FinetuneError } from '../errors.js';
import { meanColour } from '../data/image/meanColour.js';
import { initialValues } from '../graph/init.js';
import type { Params } from '../graph/params.js';
import { parametersOf } from '../graph/program.js';
import { randomStream } from '../random.js';
import { readPixels, type RuntimeImage } from '../runtime/image.js';
import { viewOf } from '../runtime/view.js';
import { softmax, type Classification } from '../tasks/classification/probabilities.js';
import { classesOf, type FoundClass } from '../tasks/found.js';
import type { Model } from '../tasks/model.js';
import { planFreeze } from '../train/freeze.js';
import { buildPrograms } from '../train/programs.js';
import { readClassifier } from './checkpoint.js';

/** An image, and the name of its class. */
export interface Example {
  readonly image: RuntimeImage;
  readonly category: string;
}

export interface LearnerOptions {
  /** Names of classes to learn instead of those of the model. Until it has learned, each of them is as probable as the others. */
  readonly categories?: readonly string[];
  /** Number of the backbone's last stages that are trained with the classifier; default: 0, the classifier alone, whose steps
   *  take milliseconds. */
  readonly stages?: number;
}

export interface LearnOptions {
  /** Steps of training; default: 60. */
  readonly steps?: number;
  /** Default: 0.001. */
  readonly learningRate?: number;
  /** Called after each step with the loss. */
  readonly onStep?: (step: number, loss: number) => void;
  readonly signal?: AbortSignal;
}

/** A classifier that learns. */
export interface Learner {
  /** The names of the classes. */
  readonly categories: readonly string[];
  /** The five most probable classes, as `predict` of the runtime returns them. */
  predict(image: RuntimeImage): Promise<readonly FoundClass[]>;
  /** Trains on all examples together, from what was learned so far. Each image is learned as it is and mirrored.
   *  Throws E_PERSONALISE_EXAMPLES, E_FEED, and the signal's reason when aborted. */
  learn(examples: readonly Example[], options?: LearnOptions): Promise<void>;
  /** Frees the memory of the engine. */
  dispose(): void;
}

/** Images of a step at most. */
const MOST_BATCH = 16;
const OPTIMIZER = {
  name: 'adamw',
  momentum: 0,
  nesterov: false,
  betas: [0.9, 0.999],
  smoothing: 0,
  epsilon: 1e-8,
} as const;

/** Makes a learner of a classifier's checkpoint. `tf` is @tensorflow/tfjs-core with a backend that is ready, such as WebAssembly or
 *  WebGL. Throws E_PERSONALISE_MODEL. */
export async function createLearner(
  tf: { getBackend(): string },
  checkpoint: Uint8Array,
  { stages = 0, categories }: LearnerOptions = {},
): Promise<Learner> {
  let model = await readClassifier(checkpoint, categories);
  const { backbone } = model;
  const frozen = backbone.stages.length - stages;
  const open = (batch: number) => openPrograms(tf, model, batch, frozen);
  let predicting: Promise<Programs> | undefined;
  const names = model.categories.map(({ name }) => name);
  return {
    categories: names,
    async predict(image) {
      const { session } = await (predicting ??= open(1));
      const { logits } = await session.run('evaluate', {
        image: await viewPixels(image, model),
        targets: blank(model),
      });
      return classesOf({ imageId: 0, probabilities: softmax(logits!) }, model.categories, 0);
    },
    async learn(examples, options = {}) {
      const labels = labelsOf(examples, names);
      const batch = Math.min(MOST_BATCH, examples.length * 2);
      const programs = await open(batch);
      try {
        const views: Float32Array[] = [];
        for (const { image } of examples) {
          const pixels = await viewPixels(image, model);
          views.push(pixels, mirrored(pixels, model.size[1]));
        }
        const features = await featuresOf(views, programs);
        await train(
          features,
          labels.flatMap((label) => [label, label]),
          programs,
          { model, ...options },
        );
        model = { ...model, params: await valuesOf(programs, model.params) };
      } finally {
        programs.session.dispose();
      }
      (await predicting)?.session.dispose();
      predicting = undefined;
    },
    dispose() {
      void predicting?.then(({ session }) => session.dispose());
      predicting = undefined;
    },
  };
}

interface Programs {
  readonly session: Session;
  readonly batch: number;
  /** The parameters that training changes. */
  readonly trained: readonly string[];
  /** Names and lengths of the features of one image. */
  readonly features: readonly (readonly [name: string, length: number])[];
}

/** Compiles evaluation, the frozen stages and a step of training, with the values of the model. */
async function openPrograms(
  tf: { getBackend(): string },
  model: Model<Classification>,
  batch: number,
  stages: number,
): Promise<Programs> {
  const { train, evaluate, prefix, trained, derive } = buildPrograms(model, {
    batch,
    evaluateBatch: batch,
    plan: planFreeze(model.backbone, model.parameters, { stages, batchNorm: 'frozen' }),
    update: {
      optimizer: OPTIMIZER,
      groupOf: () => ({ lr: 1, weightDecay: 0 }),
      clipNorm: 10,
      clipValue: null,
      accumulate: 1,
    },
    ema: false,
    split: 'always',
  });
  const programs = { train, evaluate, prefix: prefix! };
  const session = await compileEager(programs, { name: tf.getBackend(), tf });
  const parameters = parametersOf(programs);
  const slots = [...parameters].filter(([, { role }]) => role === 'slot');
  const start: Params = new Map(slots.map(([name, attrs]) => [name, initialValues(attrs, 0)]));
  const values = [...model.params, ...derive(model.params), ...start].filter(([name]) => parameters.has(name));
  await session.write(new Map(values));
  const features = Object.entries(prefix!.outputs).map(
    ([name, { shape }]) => [name, shape.reduce((product, side) => product * side, 1) / batch] as const,
  );
  return { session, batch, trained, features };
}

/** The pixels that the network reads of an image, as the runtime makes them. */
async function viewPixels(image: RuntimeImage, { description, size }: Model): Promise<Float32Array> {
  const { resize, interpolation, cropFraction, limits } = description.images;
  const input = {
    shape: [1, ...size, 3],
    resize: { mode: resize, method: interpolation, cropFraction, limits, fill: meanColour },
  };
  return viewOf(await readPixels(image), { input }).pixels;
}

/** The image, seen in a mirror. */
function mirrored(pixels: Float32Array, width: number): Float32Array {
  const out = new Float32Array(pixels.length);
  const row = width * 3;
  for (let i = 0; i < pixels.length; i += 3) {
    const from = i - (i % row) + row - 3 - (i % row);
    for (let channel = 0; channel < 3; channel++) out[i + channel] = pixels[from + channel]!;
  }
  return out;
}

/** Computes the features of the frozen stages, once for each view. */
async function featuresOf(
  views: readonly Float32Array[],
  { session, batch, features }: Programs,
): Promise<Readonly<Record<string, Float32Array>>[]> {
  const found: Record<string, Float32Array>[] = [];
  for (let first = 0; first < views.length; first += batch) {
    const some = views.slice(first, first + batch);
    const image = new Float32Array(batch * views[0]!.length);
    for (const [i, view] of some.entries()) image.set(view, i * view.length);
    const results = await session.run('prefix', { image });
    for (const i of some.keys())
      found.push(
        Object.fromEntries(
          features.map(([name, length]) => [name, results[name]!.slice(i * length, (i + 1) * length)]),
        ),
      );
  }
  return found;
}

async function train(
  features: readonly Readonly<Record<string, Float32Array>>[],
  labels: readonly number[],
  { session, batch, features: names }: Programs,
  { model, steps = 60, learningRate = 0.001, onStep, signal }: LearnOptions & { readonly model: Model },
): Promise<void> {
  const classes = model.categories.length;
  const random = randomStream(1, 'personalise');
  for (let step = 1; step <= steps; step++) {
    signal?.throwIfAborted();
    const rows = drawRows(labels.length, batch, random);
    const feeds: Record<string, Feeds[string]> = { lr: Float32Array.of(learningRate) };
    for (const [name, length] of names) {
      const values = new Float32Array(batch * length);
      for (const [i, row] of rows.entries()) values.set(features[row]![name]!, i * length);
      feeds[name] = values;
    }
    const targets = new Float32Array(batch * classes);
    for (const [i, row] of rows.entries()) targets[i * classes + labels[row]!] = 1;
    const { loss } = await session.run('train', { ...feeds, targets });
    onStep?.(step, loss![0]!);
  }
}

/** Rows of a batch: all of them where they fit, else some, none twice. */
function drawRows(count: number, batch: number, random: ReturnType<typeof randomStream>): number[] {
  const rows = Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < batch && count > batch; i++) {
    const other = random.integer(i, count);
    [rows[i], rows[other]] = [rows[other]!, rows[i]!];
  }
  return rows.slice(0, batch);
}

/** The values of the model after training. */
const valuesOf = async ({ session, trained }: Programs, before: Params): Promise<Params> =>
  new Map([...before, ...(await session.read(trained))]);

const blank = ({ categories }: Model): Float32Array => new Float32Array(categories.length);

/** The place of each example's class. Throws E_PERSONALISE_EXAMPLES. */
function labelsOf(examples: readonly Example[], names: readonly string[]): number[] {
  const problem = (message: string, fix: string): FinetuneError =>
    new FinetuneError({ code: 'E_PERSONALISE_EXAMPLES', message, fix });
  if (examples.length === 0) throw problem('there is nothing to learn from', 'give some images with their classes');
  return examples.map(({ category }) => {
    const label = names.indexOf(category);
    if (label >= 0) return label;
    throw problem(`the model has no class "${category}"`, `use one of ${names.join(', ')}`);
  });
}
