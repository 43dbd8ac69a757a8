import { z } from 'zod';
import { IMAGENET_CATEGORIES } from '../categories/imagenet.js';
import { ENGINES, type EngineName } from '../engine/names.js';
import type { Conflict } from '../conflict.js';
import { FinetuneError } from '../errors.js';
import type { BackboneChoice } from '../models/table.js';
import { findBackbone } from '../models/registry.js';
import { expectedSize, names, size } from '../optionValues.js';
import { weights } from '../recipe/schema/weights.js';
import { tableConflicts } from '../tasks/backboneConflicts.js';
import { backbone } from '../tasks/backboneOption.js';
import type { ClassificationOptions } from '../tasks/classification/classification.js';
import { classifierOptions } from '../tasks/classification/options.js';
import { detectorConflicts } from '../tasks/detection/conflicts.js';
import { detectorDefaults } from '../tasks/detection/detectorDefaults.js';
import { detectors, headOf, type DetectionOptions } from '../tasks/detection/detectors.js';
import { MOST_CLASSES } from '../tasks/description/schema.js';
import { boxTraining, selection } from '../tasks/detection/options.js';
import { checkArgument } from './arguments.js';

/** The options of each head, all of them optional: `detectorDefaults` has their defaults. */
export type HeadOptions<H = DetectionOptions> = H extends { readonly head: infer Name }
  ? Partial<Omit<H, 'numClasses' | 'backbone' | 'head'>> & { readonly head?: Name }
  : never;

export interface AnyModelOptions {
  /** A name of `finetune models`, e.g. tf_mobilenetv2_100, or a table. */
  readonly backbone: BackboneChoice;
  /** Names of the classes in their order, or how many there are. */
  readonly classes: readonly string[] | number;
  /** Seed of the initial values (default: 1). */
  readonly seed?: number;
  readonly engine?: EngineName | 'auto';
}

export type DetectorModelOptions = HeadOptions & AnyModelOptions & { readonly task?: 'detection' };

export interface ClassifierModelOptions
  extends Omit<AnyModelOptions, 'classes'>, Partial<Pick<ClassificationOptions, 'size'>> {
  readonly task: 'classification';
  /** Names of the classes in their order, how many there are, or ImageNet's thousand. */
  readonly classes: readonly string[] | number | 'imagenet-1k';
}

/** What `createModel` works with, of options that were checked. */
export type ModelOptions = Common &
  (
    | { readonly task: 'detection'; readonly options: DetectionOptions }
    | { readonly task: 'classification'; readonly options: ClassificationOptions }
  );

interface Common {
  /** Names of the classes. */
  readonly names: readonly string[];
  /** Whether the names are numbers that stand for unknown ones. */
  readonly numbered: boolean;
  readonly seed: number;
  readonly engine: EngineName | 'auto';
}

const classes = z
  .union([
    z.int().min(1).max(MOST_CLASSES),
    names
      .min(1)
      .max(MOST_CLASSES)
      .refine((all) => new Set(all).size === all.length, 'two names are the same'),
  ])
  .meta({ expects: `a whole number from 1 to ${MOST_CLASSES}, or a list of names, none of them twice` });

const common = {
  classes,
  seed: z.int().min(0).max(0xffffffff).optional(),
  engine: z.enum(['auto', ...ENGINES]).optional(),
  size: size.meta({ expects: expectedSize }).optional(),
  ...weights, // a recipe's model has them, which may be spread into the options; `load` reads the file
};

const looseBackbone = z
  .union([z.string(), z.looseObject({})])
  .meta({ expects: 'the name of a backbone, or a table with rows' });
const kindSchema = z.looseObject({
  task: z.enum(['detection', 'classification']).optional(),
  backbone: looseBackbone,
  head: z.string().optional(),
});

/** The input size at which most published classifiers were trained. */
const CLASSIFIER_SIZE = [224, 224] as const;

/** Reads the options of `createModel`. Throws E_USAGE with every option that is wrong, E_MODEL_UNKNOWN. */
export function readModelOptions(given: unknown): ModelOptions {
  const { task = 'detection', head, backbone: choice } = checkArgument('options', kindSchema, given);
  if (typeof choice === 'string') findBackbone(choice);
  const written = withoutUndefined(given as object);
  return task === 'classification' ? readClassifier(written) : readDetector(written, head);
}

function readClassifier(given: object): ModelOptions {
  const schema = z.strictObject({
    ...common,
    ...classifierOptions,
    backbone,
    task: z.literal('classification'),
    classes: z
      .union([classes, z.literal('imagenet-1k')])
      .meta({ expects: "a whole number, a list of names, none of them twice, or 'imagenet-1k'" }),
  });
  const read = checkArgument('options', schema, given);
  if (typeof read.backbone === 'object') refuse(tableConflicts(read.backbone));
  const named = namesOf(read.classes);
  const options = {
    backbone: read.backbone,
    size: read.size ?? CLASSIFIER_SIZE,
    numClasses: named.names.length,
    labelSmoothing: 0,
    dropout: read.dropout,
    stochasticDepth: read.stochasticDepth,
  };
  return { task: 'classification', options, ...named, ...restOf(read) };
}

function readDetector(given: object, name: string = detectors[0].name): ModelOptions {
  const head = headOf(name);
  const schema = z.strictObject({
    ...common,
    backbone,
    ...selection,
    focal: boxTraining.focal,
    hardNegatives: boxTraining.hardNegatives,
    ...head.options.shape,
    task: z.literal('detection').optional(),
    head: z.string().optional(),
  });
  const read = checkArgument('options', schema, given);
  if (typeof read.backbone === 'object') refuse(tableConflicts(read.backbone));
  const named = namesOf(read.classes);
  const own = Object.fromEntries(
    Object.entries(read).filter(([option]) => Object.hasOwn(given, option) && !NOT_OF_DETECTOR.has(option)),
  );
  const defaults = detectorDefaults[head.name as keyof typeof detectorDefaults];
  // The type cannot express that defaults and options are of the same head.
  const options = { ...defaults, ...own, numClasses: named.names.length } as DetectionOptions;
  refuse(detectorConflicts(options, options.size, (path) => Object.hasOwn(given, optionOf(path))));
  return { task: 'detection', options, ...named, ...restOf(read) };
}

/** The option of `createModel` for that of a recipe: size for data.size. */
const optionOf = (path: string): string => path.slice(path.indexOf('.') + 1);

/** Throws E_USAGE if options contradict each other. */
function refuse(conflicts: readonly Conflict[]): void {
  if (conflicts.length === 0) return;
  throw new FinetuneError(
    conflicts.map(({ path, message, fix }) => {
      return { code: 'E_USAGE', message: `"options.${optionOf(path)}": ${message}`, fix };
    }),
  );
}

const NOT_OF_DETECTOR = new Set(['classes', 'seed', 'engine', 'task', ...Object.keys(weights)]);

interface Rest {
  readonly seed?: number | undefined;
  readonly engine?: Common['engine'] | undefined;
}
const restOf = ({ seed = 1, engine = 'auto' }: Rest): Pick<Common, 'seed' | 'engine'> => ({ seed, engine });

function namesOf(given: readonly string[] | number | 'imagenet-1k'): Pick<Common, 'names' | 'numbered'> {
  if (given === 'imagenet-1k') return { names: IMAGENET_CATEGORIES.map(({ name }) => name), numbered: false };
  if (typeof given !== 'number') return { names: given, numbered: false };
  return { names: Array.from({ length: given }, (_, i) => `class ${i}`), numbered: true };
}

/** An option that is undefined has its default. */
const withoutUndefined = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
