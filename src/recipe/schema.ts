/** Every option of a recipe: its name, type, range, default and documentation. The pages docs/recipe*.md are generated from
 *  this file and those in schema/. An option is added here once something reads it, so that no option is ignored. */
import { z } from 'zod';
import { addImageClasses, addObjectClasses } from './schema/addClasses.js';
import { classifierOptions, classTraining } from '../tasks/classification/options.js';
import { boxTraining } from '../tasks/detection/options.js';
import { craftBackbone, textHeads, textTraining } from '../tasks/text/options.js';
import { backbone } from './schema/backbone.js';
import { detector } from './schema/detector.js';
import { boxEvaluation, classEvaluation, report, textEvaluation } from './schema/evaluate.js';
import { labelledData } from './schema/labelledData.js';
import { objectData } from './schema/objectData.js';
import { textData } from './schema/textData.js';
import { training } from './schema/train.js';
import { weights } from './schema/weights.js';

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
  task: z.literal('detection').describe('Boxes around the objects of an image.'),
  ...run,
  data: objectData,
  addClasses: addObjectClasses,
  model: detector.prefault({}).describe('What learns.'),
  train: z
    .strictObject({ ...training, ...boxTraining })
    .prefault({})
    .describe('How it learns.'),
  evaluate: boxEvaluation.prefault({}).describe('How it is scored.'),
  report: report.prefault({}).describe('What report.html shows.'),
});

const classification = z.strictObject({
  task: z.literal('classification').describe('One class for the whole image.'),
  ...run,
  data: labelledData,
  addClasses: addImageClasses,
  model: z
    .strictObject({ backbone, ...weights, ...classifierOptions })
    .prefault({})
    .describe('What learns.'),
  train: z
    .strictObject({ ...training, ...classTraining })
    .prefault({})
    .describe('How it learns.'),
  evaluate: classEvaluation.prefault({}).describe('How it is scored.'),
  report: report.prefault({}).describe('What report.html shows.'),
});

const text = z.strictObject({
  task: z.literal('text').describe('Words in a scene, by their characters.'),
  ...run,
  data: textData,
  model: z
    .discriminatedUnion('head', [
      z.strictObject({ head: textHeads['craft-lite'], backbone, ...weights }),
      z.strictObject({ head: textHeads.craft, backbone: craftBackbone, ...weights }),
    ])
    .prefault({})
    .describe('What learns.'),
  train: z
    .strictObject({ ...training, ...textTraining })
    .prefault({})
    .describe('How it learns.'),
  evaluate: textEvaluation.prefault({}).describe('How it is scored.'),
  report: report.prefault({}).describe('What report.html shows.'),
});

export const recipeSchema = z.discriminatedUnion('task', [detection, classification, text]);

/** A recipe as the rest of the program sees it: every default filled in, `data.root` absolute, `data.size` a pair. */
export type Recipe = z.output<typeof recipeSchema>;
