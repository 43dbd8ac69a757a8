import { count } from '../graph/count.js';
import type { Recipe } from '../recipe/schema.js';
import type { DetectionRecipe } from '../run/detectionRecipe.js';
import { taskOptions } from '../run/taskOptions.js';
import { chooseDetection, DETECTION_SIDES } from './detection.js';
import { recipeOf, type Draft } from './draft.js';
import type { DataFacts } from './facts.js';
import { fitInput, type FittedInput } from './fitInput.js';
import type { InitOptions } from './options.js';
import { withinLatency } from './latency.js';
import { chooseClassification, chooseText, type Classifier } from './otherTasks.js';
import type { TaskName } from './recognise.js';
import { setting, type Setting } from './setting.js';

interface Found extends Draft {
  readonly facts: DataFacts;
}

/** The usual classifier. */
const CLASSIFIER: Classifier = { network: 'lite0', side: 224 };
/** What a latency chooses from: the larger networks with weights that can be reached, at the sizes of these, and
 *  smaller inputs. */
const CLASSIFIERS: readonly Classifier[] = [
  { network: 'lite2', side: 260 },
  { network: 'lite1', side: 240 },
  CLASSIFIER,
  ...[192, 160, 128, 96].map((side) => ({ ...CLASSIFIER, side })),
];
const SMALLER_SIDES = [256, 204, 160, 128];
/** Most pixels of a side at which text is looked for. */
const LONGEST_SIDE = 1280;
const BATCH: Readonly<Record<TaskName, number>> = { detection: 8, classification: 16, text: 8 };

/** The settings of the model and the training for what was found. */
export async function chooseTask(task: TaskName, found: Found, options: InitOptions): Promise<Setting[]> {
  const { facts } = found;
  const { time } = options;
  const parsed = (settings: readonly Setting[]): Promise<Recipe> => recipeOf([...found.settings, ...settings], options);
  switch (task) {
    case 'detection': {
      const choose = (size: Setting, anchors?: Setting, batch = BATCH.detection): Setting[] =>
        chooseDetection({ facts, size, anchors, time, batch });
      const trial = async (side: number): Promise<DetectionRecipe> =>
        (await parsed(choose(setting('data.size', side)))) as DetectionRecipe;
      const fitted = await fitInput(DETECTION_SIDES, found.data.train, trial);
      const smaller = SMALLER_SIDES.filter((side) => side < fitted.side);
      const { one, why = fitted.why } = await within([fitted.side, ...smaller], inPixels, trial, found, options);
      const size = setting('data.size', one, why);
      const anchors =
        size.value === fitted.side ? fitted : await fitInput([Number(size.value)], found.data.train, trial);
      return withMemory((batch) => choose(size, anchorsOf(anchors), batch), BATCH.detection, found, parsed);
    }
    case 'classification': {
      const choose = (classifier: Classifier, why?: string, batch = BATCH.classification): Setting[] =>
        chooseClassification({ facts, classifier, why, time, batch });
      const trial = (classifier: Classifier): Promise<Recipe> => parsed(choose(classifier));
      const choices = options.latency === undefined ? [CLASSIFIER] : CLASSIFIERS;
      const { one, why } = await within(choices, inWords, trial, found, options);
      return withMemory((batch) => choose(one, why, batch), BATCH.classification, found, parsed);
    }
    case 'text': {
      const isDrawn = found.recipe.data.format === 'synthtext';
      const [width, height] = facts.imageSize;
      const longest = Math.min(LONGEST_SIDE, Math.max(width, height));
      const sized = (side: number): [number, number] =>
        [height, width].map((one) => Math.max(32, Math.round((one * side) / Math.max(width, height) / 32) * 32)) as [
          number,
          number,
        ];
      const choose = (size: Setting, batch = BATCH.text): Setting[] =>
        chooseText({ facts, size, time, batch, isDrawn });
      const trial = (side: number): Promise<Recipe> => parsed(choose(setting('data.evaluateSize', sized(side))));
      const sides = [longest, longest * 0.75, longest * 0.5, longest * 0.375];
      const { one, why = 'the usual size of the images, rounded' } = await within(
        sides,
        inPixels,
        trial,
        found,
        options,
      );
      const size = setting('data.evaluateSize', sized(one), why);
      return withMemory((batch) => choose(size, batch), BATCH.text, found, parsed);
    }
  }
}

const anchorsOf = ({ anchors, gain }: FittedInput): Setting | undefined =>
  anchors && setting('model.anchors', anchors, gain);

const inPixels = (side: number): string => `${side} pixels`;
const inWords = ({ network, side }: Classifier): string => `tf_efficientnet_${network} at ${side} pixels`;

/** The first of the choices, or with a latency the first that keeps it here, and then the reason. */
async function within<Choice>(
  choices: readonly Choice[],
  nameOf: (choice: Choice) => string,
  trial: (choice: Choice) => Promise<Recipe>,
  { data }: Found,
  { latency, ...hooks }: InitOptions,
): Promise<{ readonly one: Choice; readonly why?: string }> {
  const [first] = choices as readonly [Choice];
  if (latency === undefined) return { one: first };
  const candidates = await Promise.all(choices.map(async (one) => ({ name: nameOf(one), recipe: await trial(one) })));
  const { index, milliseconds } = await withinLatency(candidates, latency, data.categories.length, hooks);
  const kept =
    milliseconds <= latency
      ? `within the ${latency} ms asked for`
      : `more than the ${latency} ms asked for: nothing faster has weights`;
  return { one: choices[index]!, why: `${milliseconds.toFixed(1)} ms an image were measured here, ${kept}` };
}

/** Activations are kept for the gradient, and gradients are as large. */
const COPIES = 3;
const MEMORY_SHARE = 0.6;

/** Halves the batch until a step is likely to fit into the memory that is free. */
async function withMemory(
  choose: (batch: number) => Setting[],
  most: number,
  { data }: Found,
  parse: (settings: readonly Setting[]) => Promise<Recipe>,
): Promise<Setting[]> {
  const recipe = await parse(choose(most));
  const task = taskOptions(recipe).createTask(Math.max(1, data.categories.length));
  const { outputs } = task.build({ batch: 1, size: task.size, trainBatchNorm: () => false });
  const { activationBytes } = count(Object.values(outputs));
  const available = MEMORY_SHARE * process.availableMemory();
  let batch = most;
  while (batch > 1 && COPIES * batch * activationBytes > available) batch /= 2;
  return choose(batch);
}
