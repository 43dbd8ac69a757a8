import { z } from 'zod';
import { FinetuneError } from '../../errors.js';
import { tableConflicts } from '../backboneConflicts.js';
import { backbone } from '../backboneOption.js';
import { detectorConflicts } from '../detection/conflicts.js';
import { detectors } from '../detection/detectors.js';
import { selection } from '../detection/options.js';
import { thresholds } from '../text/options.js';
import { tiling } from './tiling.js';
import { DESCRIPTION_FORMAT, type ModelDescription } from './description.js';

/** ImageNet-21k has 21,843 classes; more are a mistake, and the last layer would not fit into memory. */
export const MOST_CLASSES = 100_000;

const side = z.int().min(1).max(8192);
const size = z.tuple([side, side]);
const rgb = z.tuple([z.number(), z.number(), z.number()]);

const images = z.strictObject({
  resize: z.enum(['stretch', 'letterbox', 'crop', 'shorterSide']),
  interpolation: z.enum(['bilinear', 'bicubic']),
  cropFraction: z.number().gt(0).max(1).optional(),
  limits: z.strictObject({ min: side, max: side }).optional(),
  tiles: tiling.optional(),
});

const categories = z.array(z.strictObject({ id: z.number(), name: z.string() })).max(MOST_CLASSES);

const described = {
  format: z.literal(DESCRIPTION_FORMAT),
  backbone,
  mean: rgb,
  std: rgb,
  padding: z.enum(['symmetric', 'same']),
  epsilon: z.number().min(0),
  size,
  sizes: z.array(size).min(1).optional(),
  categories,
  images,
};

const heads = detectors.map(({ name, options }) => z.strictObject({ head: z.literal(name), ...options.shape }));

const detectionSchema = z.strictObject({
  task: z.literal('detection'),
  ...described,
  categories: categories.min(1),
  head: z.discriminatedUnion('head', heads as [(typeof heads)[number], ...typeof heads]),
  activation: z.enum(['softmax', 'sigmoid', 'none']),
  background: z.boolean(),
  selection: z.strictObject(selection),
});

const descriptionSchema = z.discriminatedUnion('task', [
  detectionSchema,
  z.strictObject({
    task: z.literal('classification'),
    ...described,
    categories: categories.min(1),
    activation: z.literal('softmax'),
  }),
  z.strictObject({
    task: z.literal('text'),
    ...described,
    head: z.enum(['craft', 'craft-lite']),
    evaluateSize: size,
    thresholds,
  }),
]);

/** Reads the description that a weights file carries. Throws E_MODEL_DESCRIPTION with the first entries that are
 *  wrong. */
export function parseDescription(text: string, file: string): ModelDescription {
  const failure = (message: string, cause: unknown): FinetuneError =>
    new FinetuneError({ code: 'E_MODEL_DESCRIPTION', message, where: { file }, fix: FIX }, { cause });
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw failure(`the description of the model is not JSON: ${text.slice(0, 60)}`, error);
  }
  const { data, error } = descriptionSchema.safeParse(written);
  const conflict = data && findConflict(data);
  if (conflict !== undefined) throw failure(`the description of the model contradicts itself: ${conflict}`, undefined);
  if (data) return data; // the union of heads has lost their names
  const wrong = error.issues.slice(0, MOST_ISSUES).map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw failure(`the description of the model is not understood: ${wrong.join('; ')}`, error);
}

function findConflict(model: z.output<typeof descriptionSchema>): string | undefined {
  const { backbone: choice, size: one } = model;
  const ofTable = typeof choice === 'object' ? tableConflicts(choice) : [];
  const ofHead =
    model.task === 'detection' ? detectorConflicts({ ...model.head, backbone: choice }, one, () => false) : [];
  return [...ofTable, ...ofHead][0]?.message;
}

const MOST_ISSUES = 3;
const FIX = 'update this program if a newer version wrote the file; else the file is damaged';
