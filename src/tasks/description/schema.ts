import { z } from 'zod';
import { FinetuneError } from '../../errors.js';
import { backbone } from '../backboneOption.js';
import { detectors } from '../detection/detectors.js';
import { selection } from '../detection/options.js';
import { thresholds } from '../text/options.js';
import { DESCRIPTION_FORMAT, type ModelDescription } from './description.js';

const side = z.int().min(1).max(0xffff);
const size = z.tuple([side, side]);
const rgb = z.tuple([z.number(), z.number(), z.number()]);

const images = z.strictObject({
  resize: z.enum(['stretch', 'letterbox', 'crop', 'shorterSide']),
  interpolation: z.enum(['bilinear', 'bicubic']),
  cropFraction: z.number().gt(0).max(1).optional(),
  limits: z.strictObject({ min: side, max: side }).optional(),
});

const described = {
  format: z.literal(DESCRIPTION_FORMAT),
  backbone,
  mean: rgb,
  std: rgb,
  padding: z.enum(['symmetric', 'same']),
  epsilon: z.number().min(0),
  size,
  sizes: z.array(size).min(1).optional(),
  categories: z.array(z.strictObject({ id: z.number(), name: z.string() })),
  images,
};

const heads = detectors.map(({ name, options }) => z.strictObject({ head: z.literal(name), ...options.shape }));

const descriptionSchema = z.discriminatedUnion('task', [
  z.strictObject({
    task: z.literal('detection'),
    ...described,
    head: z.discriminatedUnion('head', heads as [(typeof heads)[number], ...typeof heads]),
    activation: z.enum(['softmax', 'sigmoid', 'none']),
    background: z.boolean(),
    selection: z.strictObject(selection),
  }),
  z.strictObject({ task: z.literal('classification'), ...described, activation: z.literal('softmax') }),
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
  if (data) return data; // the union of heads has lost their names
  const wrong = error.issues.slice(0, MOST_ISSUES).map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw failure(`the description of the model is not understood: ${wrong.join('; ')}`, error);
}

const MOST_ISSUES = 3;
const FIX = 'update this program if a newer version wrote the file; else the file is damaged';
