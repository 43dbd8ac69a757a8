/** Every option of a recipe: its name, type, range, default and documentation. docs/recipe.md is written from this file and
 *  those in schema/, one idea each. Nothing is parsed and then ignored: an option stands here once something reads it. */
import { z } from 'zod';
import { boxLoss } from './schema/boxLoss.js';
import { detector } from './schema/detector.js';
import { boxEvaluation, report } from './schema/evaluate.js';
import { objectData } from './schema/objectData.js';
import { training } from './schema/train.js';

const run = {
  seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of everything random in the run.'),
  engine: z
    .enum(['auto', 'tensorflow-gpu', 'tensorflow', 'wasm'])
    .default('auto')
    .describe(
      'Who does the arithmetic. `auto` takes the first of the three that is there; `finetune doctor` says which.',
    ),
  out: z
    .string()
    .min(1)
    .default('runs')
    .describe('Folder in which the run directory is made, relative to the current directory.'),
};

const detection = z.strictObject({
  task: z.literal('detection').describe('What to learn.'),
  ...run,
  data: objectData,
  model: detector.prefault({}).describe('What learns.'),
  train: z
    .strictObject({ ...training, ...boxLoss })
    .prefault({})
    .describe('How it learns.'),
  evaluate: boxEvaluation.prefault({}).describe('How it is scored.'),
  report: report.prefault({}).describe('What report.html shows.'),
});

/* A second task turns this into z.discriminatedUnion('task', …); check.ts and reference.ts are ready for it. */
export const recipeSchema = detection;

/** A recipe as the rest of the program sees it: every default filled in, `data.root` absolute, `data.size` a pair. */
export type Recipe = z.output<typeof recipeSchema>;
