import { basename, dirname, isAbsolute, parse, relative, resolve } from 'node:path';

import { fileURLToPath } from 'node:url';
import { FinetuneError } from '../errors.js';
import { count } from '../graph/count.js';
import type { ProgressEvent } from '../progress.js';
import { parseRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import type { DetectionRecipe } from '../run/detectionRecipe.js';
import { ownData, type RecipeData } from '../run/recipeData.js';
import { taskOptions } from '../run/taskOptions.js';
import { describeFindings } from './describe.js';
import { chooseDetection, DETECTION_SIDES } from './detection.js';
import { factsOf, type DataFacts } from './facts.js';
import { fitInput, type FittedInput } from './fitInput.js';
import { withinLatency } from './latency.js';
import { chooseClassification, chooseText } from './otherTasks.js';
import { recognise, taskOf, type Asked, type Recognised, type TaskName } from './recognise.js';
import { renderRecipe } from './render.js';
import { setting, type Setting } from './setting.js';

export interface InitOptions extends Asked {
  /** File of the recipe, from which the path of the data counts. */
  readonly file: string;
  /** Milliseconds that one image may take on this machine. */
  readonly latency?: number | undefined;
  /** Time that the run may take: 10m. */
  readonly time?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface InitResult {
  readonly text: string;
  readonly recipe: Recipe;
  readonly recognised: Recognised;
  readonly facts: DataFacts;
  readonly settings: readonly Setting[];
  /** What was found and decided, for people. */
  readonly lines: readonly string[];
}

/** Looks at a folder of labelled images and makes a recipe for it, which opens and trains as it stands.
 *  Throws E_INIT_LAYOUT, E_INIT_AMBIGUOUS, and what is wrong with the data. */
export async function initRecipe(folder: string, options: InitOptions): Promise<InitResult> {
  const { file } = options;
  const recognised = await recognise(folder, options);
  const { format, kind, why } = recognised.chosen;
  const task = taskOf(kind);
  const draft = [setting('task', task), ...dataSettings(recognised, file)];
  const {
    settings: dataOf,
    recipe: opened,
    data,
  } = await openDraft(draft, options).catch((error: unknown) => {
    options.onProgress?.({ message: `${folder} was taken for ${format}, because ${why}` });
    throw error;
  });
  const facts = factsOf(data);
  const chosen = await chooseTask(task, { draft: dataOf, opened, data, facts }, options);
  const settings = [...dataOf, ...chosen];
  const lines = describeFindings(recognised, facts, settings);
  const command = `finetune ${relative('.', file) || file}`;
  const schema = relative(dirname(resolve(file)), SCHEMA).replaceAll('\\', '/');
  const head = [
    `yaml-language-server: $schema=${schema}`,
    `Written by finetune init for ${basename(resolve(folder))}.`,
    '',
    `  ${command}`,
    '',
    ...lines,
  ];
  const text = renderRecipe(
    settings,
    head.map((line) => line.replaceAll('\n', ' ')),
  );
  return { text, recipe: await parseRecipe(text, file), recognised, facts, settings, lines };
}

/** The recipe as JSON Schema, in this package; editors read it. */
const SCHEMA = fileURLToPath(new URL('../../schema/recipe.json', import.meta.url));

/** The options of `data` that the layout was recognised with. */
function dataSettings({ chosen: { data, parts, why } }: Recognised, file: string): Setting[] {
  if (!parts.includes('train') && data.format !== 'synthtext') throw withoutTrain(data, parts, why);
  const { root, format, ...options } = data;
  const folder = dirname(resolve(file));
  const near = relative(folder, root).replaceAll('\\', '/');
  const isFar = near.startsWith('../') && resolve(folder, /^(?:\.\.\/)+/.exec(near)![0]) === parse(root).root;
  const short = near === '' ? '.' : isFar || isAbsolute(near) ? root : near;
  const settings = [
    setting('data.format', format, why),
    setting('data.root', short, short === root ? undefined : 'relative to this file'),
    ...Object.entries(options).map(([name, value]) => setting(`data.${name}`, value)),
  ];
  if (parts.includes('val')) return settings;
  return [
    ...settings,
    setting('data.split.val', 0.2, 'the data set has no validation part: a fifth is held out'),
    setting('data.split.by', 'group', 'classes are spread, near-duplicates stay in one part'),
  ];
}

const withoutTrain = (
  { format, root }: Recognised['chosen']['data'],
  parts: readonly string[],
  why: string,
): FinetuneError =>
  new FinetuneError({
    code: 'E_INIT_LAYOUT',
    message: `the folder is ${format}, because ${why}; but ${parts.length > 0 ? `of its parts only ${parts.join(' and ')} could be read` : 'none of its parts could be read'}`,
    where: { file: root },
    fix: 'call the folder or file to train on train, and look whether all of its annotations have the same layout',
  });

interface Draft {
  readonly settings: readonly Setting[];
  readonly recipe: Recipe;
  readonly data: RecipeData;
}

/** Problems that a recipe may leave out and count. */
const DROPS = [
  { option: 'data.invalidBoxes', codes: /_BOX$/, what: 'boxes without area or outside their image' },
  { option: 'data.brokenImages', codes: /^E_IMAGE_/, what: 'images that are missing or cannot be decoded' },
] as const;

/** Opens the data of a draft. Where single boxes or images are wrong, they are left out, and the setting says how
 *  many. Throws the problems of any other kind. */
async function openDraft(draft: readonly Setting[], { file, signal }: InitOptions): Promise<Draft> {
  const open = async (settings: readonly Setting[]): Promise<Draft> => {
    const recipe = await parseRecipe(renderRecipe(settings, []), file);
    return { settings, recipe, data: await ownData(recipe, { signal }) };
  };
  let settings = draft;
  let first: FinetuneError | undefined;
  for (;;) {
    try {
      const opened = await open(settings);
      if (first && isMuch(opened.data)) throw first;
      return opened;
    } catch (error) {
      if (!(error instanceof FinetuneError)) throw error;
      first ??= error;
      const codes = error.problems.map(({ code }) => code);
      const drop = DROPS.find(
        ({ option, codes: own }) =>
          codes.some((code) => own.test(code)) && !settings.some(({ path }) => path === option),
      );
      if (!drop) throw first;
      settings = [...settings, setting(drop.option, 'drop', `${drop.what}: the report counts them`)];
    }
  }
}

/** Share of the images, or of the boxes, that may be left out without asking. */
const FEW = 0.1;

function isMuch({ train, val, test }: RecipeData): boolean {
  const parts = [train, val, ...(test ? [test] : [])];
  const images = parts.reduce((sum, { annotations }) => sum + annotations.length, 0);
  const objects = parts.reduce((sum, { annotations }) => sum + annotations.flatMap(({ classes }) => classes).length, 0);
  const left = (noun: RegExp): number =>
    parts
      .flatMap(({ dropped }) => Object.entries(dropped))
      .filter(([reason]) => noun.test(reason))
      .reduce((sum, [, count]) => sum + count, 0);
  const outOf = (all: number, out: number): boolean => out > FEW * (all + out);
  return (
    outOf(images, left(/^image (?:missing|cannot be decoded|has another size)/)) ||
    outOf(objects, left(/^box (?:without area|outside)/))
  );
}

interface Found {
  readonly draft: readonly Setting[];
  readonly opened: Recipe;
  readonly data: RecipeData;
  readonly facts: DataFacts;
}

/** Side of a classifier's input that is the usual one, and smaller ones for a latency. */
const CLASSIFIER_SIDES = [224, 192, 160, 128, 96];
const SMALLER_SIDES = [256, 204, 160, 128];
/** Most pixels of a side at which text is looked for. */
const LONGEST_SIDE = 1280;
const BATCH: Readonly<Record<TaskName, number>> = { detection: 8, classification: 16, text: 8 };

async function chooseTask(task: TaskName, found: Found, options: InitOptions): Promise<Setting[]> {
  const { facts } = found;
  const { time } = options;
  const parsed = (settings: readonly Setting[]): Promise<Recipe> =>
    parseRecipe(renderRecipe([...found.draft, ...settings], []), options.file);
  switch (task) {
    case 'detection': {
      const choose = (size: Setting, anchors?: Setting, batch = BATCH.detection): Setting[] =>
        chooseDetection({ facts, size, anchors, time, batch });
      const trial = async (side: number): Promise<DetectionRecipe> =>
        (await parsed(choose(setting('data.size', side)))) as DetectionRecipe;
      const fitted = await fitInput(DETECTION_SIDES, found.data.train, trial);
      const smaller = SMALLER_SIDES.filter((side) => side < fitted.side);
      const size = await sizeWithin([fitted.side, ...smaller], fitted.why, found, (side) => trial(side), options);
      const anchors =
        size.value === fitted.side ? fitted : await fitInput([Number(size.value)], found.data.train, trial);
      return withMemory((batch) => choose(size, anchorsOf(anchors), batch), BATCH.detection, found, parsed);
    }
    case 'classification': {
      const choose = (size: Setting, batch = BATCH.classification): Setting[] =>
        chooseClassification({ facts, size, time, batch });
      const trial = (side: number): Promise<Recipe> => parsed(choose(setting('data.size', side)));
      const size = await sizeWithin(CLASSIFIER_SIDES, 'the size of the weights', found, trial, options);
      return withMemory((batch) => choose(size, batch), BATCH.classification, found, parsed);
    }
    case 'text': {
      const isDrawn = found.opened.data.format === 'synthtext';
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
      const chosen = await sizeWithin(sides, 'the usual size of the images, rounded', found, trial, options);
      const size = setting('data.evaluateSize', sized(Number(chosen.value)), chosen.why);
      return withMemory((batch) => choose(size, batch), BATCH.text, found, parsed);
    }
  }
}

const anchorsOf = ({ anchors, gain }: FittedInput): Setting | undefined =>
  anchors && setting('model.anchors', anchors, gain);

/** The first of the sides, or with a latency the first that keeps it here. */
async function sizeWithin(
  sides: readonly number[],
  why: string,
  { data }: Found,
  trial: (side: number) => Promise<Recipe>,
  { latency, ...hooks }: InitOptions,
): Promise<Setting> {
  const [first] = sides as [number];
  if (latency === undefined) return setting('data.size', first, why);
  const recipes = await Promise.all(sides.map(async (side) => ({ side, recipe: await trial(side) })));
  const { side, milliseconds } = await withinLatency(recipes, latency, data.categories.length, hooks);
  const kept =
    milliseconds <= latency
      ? `within the ${latency} ms asked for`
      : `more than the ${latency} ms asked for: nothing faster has weights`;
  return setting('data.size', side, `${milliseconds.toFixed(1)} ms an image were measured here, ${kept}`);
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
