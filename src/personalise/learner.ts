import { FinetuneError } from '../errors.js';
import type { RuntimeImage } from '../runtime/image.js';
import { softmax } from '../tasks/classification/probabilities.js';
import { classesOf, type FoundClass } from '../tasks/found.js';
import type { Model } from '../tasks/model.js';
import { readClassifier } from './checkpoint.js';
import { featuresOf, openPrograms, valuesOf, type Programs } from './programs.js';
import { train, type LearnOptions } from './train.js';
import { mirrored, viewPixels } from './views.js';

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

/** Makes a learner of a classifier's checkpoint. `tf` is @tensorflow/tfjs-core with a backend that is ready, such as WebAssembly or
 *  WebGL. Throws E_PERSONALISE_MODEL. */
export async function createLearner(
  tf: { getBackend(): string },
  checkpoint: Uint8Array,
  { stages = 0, categories }: LearnerOptions = {},
): Promise<Learner> {
  let model = await readClassifier(checkpoint, categories);
  const { backbone } = model;
  const frozen = Math.max(0, backbone.stages.length - stages);
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
