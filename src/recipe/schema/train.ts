/** Options of `train` that every task has. */
import { z } from 'zod';
import { DURATION } from '../duration.js';
import { optimization, schedule } from './optimizer.js';
import { count, names } from './values.js';

const frozenPart = z
  .union([z.literal('all'), z.int().min(0), names.min(1)])
  .meta({ expects: 'all, or a whole number, at least 0, or a list of patterns' });

export const training = {
  epochs: count.default(24).describe('Passes over the training part.'),
  batch: count.default(8).describe('Images per step.'),
  ...optimization,
  ...schedule,
  freeze: z
    .strictObject({
      stages: frozenPart
        .default(0)
        .describe(
          "What stays as loaded: so many stages of the backbone, counted from the input; `all` for the whole backbone; or patterns of parameters' names (`*` stands for anything).",
        ),
      batchNorm: z
        .enum(['train', 'eval', 'frozen'])
        .default('train')
        .describe(
          "BatchNorm in the backbone's trained stages. `train`: the batch's statistics, running ones updated. `eval`: running ones, not updated. `frozen`: as `eval`, and scale and shift are not trained either.",
        ),
      unfreeze: z
        .array(
          z.strictObject({
            epoch: count.describe('Epochs that are done before.'),
            stages: frozenPart.describe('What is frozen from then on, as above.'),
            lr: z.number().positive().default(1).describe('Factor on the learning rate from then on.'),
          }),
        )
        .default([])
        .describe(
          'Gradual thawing (Howard & Ruder 2018, arXiv:1801.06146), in the order of the epochs. What was trained before keeps its momentum.',
        ),
    })
    .prefault({})
    .describe(
      'What does not change. Frozen means frozen: the run directory holds a receipt with hashes from before and after.',
    ),
  cache: z
    .enum(['none', 'memory', 'disk'])
    .default('none')
    .describe(
      'Where the outputs of the frozen stages are kept, so that each image runs through them once; an image that changes on disk runs through them again. What is on `disk` serves a run that goes on after a stop, too. Needs frozen stages and no augmentation but `flip`.',
    ),
  cacheLimit: z
    .int()
    .min(1)
    .default(1024)
    .describe('Most MiB the cache may take; images beyond that are computed again.'),
  checkpointEvery: z
    .union([count, z.string().regex(DURATION)])
    .default('5m')
    .meta({
      description:
        'Steps, or time (`90s`, `5m`, `1h`), between checkpoints within an epoch; at the end of an epoch there is one too. A killed run resumes from the last.',
      expects: 'a whole number of steps, or a duration such as 90s, 5m or 1h',
    }),
  evaluateEvery: count.default(1).describe('Epochs between evaluations; the last epoch is always evaluated.'),
  earlyStop: z
    .union([
      z.literal(false),
      z.strictObject({
        patience: count.default(5).describe('Evaluations in a row without a better one that end the run.'),
        minDelta: z.number().min(0).default(0).describe('What counts as better: by more than this.'),
      }),
    ])
    .default(false)
    .describe(
      'End the run when `evaluate.best` stays; `false` to train all epochs. The learning rate is planned for all of them.',
    ),
  logEvery: count.default(10).describe('Steps per line of metrics.jsonl.'),
};
