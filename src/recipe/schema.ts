/** Every option of a recipe: its name, type, range, default and documentation. The pages docs/recipe*.md are
 *  generated from this file and those in schema/. An option is added here once something reads it, so that no option
 *  is ignored. */
import { z } from 'zod';
import { addImageClasses, addObjectClasses } from './schema/addClasses.js';
import { classifierOptions, classTraining } from '../tasks/classification/options.js';
import { boxTraining } from '../tasks/detection/options.js';
import { craftBackbone, textHeads, textTraining } from '../tasks/text/options.js';
import { backbone } from '../tasks/backboneOption.js';
import { detector } from './schema/detector.js';
import { boxEvaluation, classEvaluation, report, textEvaluation } from './schema/evaluate.js';
import { labelledData } from './schema/labelledData.js';
import { objectData } from './schema/objectData.js';
import { textData } from './schema/textData.js';
import { training } from './schema/train.js';
import { weights } from './schema/weights.js';

const run = {
  seed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .default(1)
    .describe('Seed of everything that is random in the run. Change it to see how much the score depends on chance.')
    .meta({ example: 2 }),
  engine: z
    .enum(['auto', 'tensorflow-gpu', 'tensorflow', 'onnxruntime', 'wasm'])
    .default('auto')
    .describe(
      'The engine that does the arithmetic. `auto` trains with the first of tensorflow-gpu, tensorflow and wasm that works here, and predicts with onnxruntime where that is faster; `finetune doctor` shows which work. Name one to compute everything with it, and to fail where it does not work; onnxruntime cannot train.',
    ),
  threads: z
    .union([z.literal('auto'), z.int().min(1).max(1024)])
    .default('auto')
    .describe(
      'Threads that the engine computes with. `auto` takes as many as there are processors. Give fewer where the machine has other work; sums that are split among threads are rounded differently, so the last digits of a score can change.',
    )
    .meta({ example: 2 }),
  out: z
    .string()
    .min(1)
    .default('runs')
    .describe(
      'Folder in which run directories are created, relative to the current directory. Change it when the disk has no room for checkpoints.',
    )
    .meta({ example: '/data/runs' }),
};

const detection = z.strictObject({
  task: z.literal('detection').describe('Detection finds the objects in an image and draws a box around each.'),
  ...run,
  data: objectData,
  addClasses: addObjectClasses,
  model: detector.prefault({}).describe('The network, and the weights that it starts from.'),
  train: z
    .strictObject({ ...training, ...boxTraining })
    .prefault({})
    .describe('How the model is trained.'),
  evaluate: boxEvaluation.prefault({}).describe('How the model is scored, and which epoch is kept.'),
  report: report.prefault({}).describe('What `report.html` shows.'),
});

const classification = z.strictObject({
  task: z.literal('classification').describe('Classification assigns one class to the whole image.'),
  ...run,
  data: labelledData,
  addClasses: addImageClasses,
  model: z
    .strictObject({ backbone, ...weights, ...classifierOptions })
    .prefault({})
    .describe('The network, and the weights that it starts from.'),
  train: z
    .strictObject({ ...training, ...classTraining })
    .prefault({})
    .describe('How the model is trained.'),
  evaluate: classEvaluation.prefault({}).describe('How the model is scored, and which epoch is kept.'),
  report: report.prefault({}).describe('What `report.html` shows.'),
});

const text = z.strictObject({
  task: z.literal('text').describe('Scene text finds the words in a photo by their characters.'),
  ...run,
  data: textData,
  model: z
    .discriminatedUnion('head', [
      z.strictObject({ head: textHeads['craft-lite'], backbone, ...weights }),
      z.strictObject({ head: textHeads.craft, backbone: craftBackbone, ...weights }),
    ])
    .prefault({})
    .describe('The network, and the weights that it starts from.'),
  train: z
    .strictObject({ ...training, ...textTraining })
    .prefault({})
    .describe('How the model is trained.'),
  evaluate: textEvaluation.prefault({}).describe('How the model is scored, and which epoch is kept.'),
  report: report.prefault({}).describe('What `report.html` shows.'),
});

export const recipeSchema = z.discriminatedUnion('task', [detection, classification, text]);

/** A recipe as the rest of the program sees it: every default filled in, `data.root` absolute, `data.size` a pair. */
export type Recipe = z.output<typeof recipeSchema>;
