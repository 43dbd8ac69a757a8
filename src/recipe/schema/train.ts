/** Options of `train` that every task has. */
import { z } from 'zod';
import { DURATION } from '../../duration.js';
import { optimization, schedule } from './optimizer.js';
import { count, names } from '../../optionValues.js';

const frozenPart = z
  .union([z.literal('all'), z.int().min(0), names.min(1)])
  .meta({ expects: 'all, or a whole number, at least 0, or a list of patterns' });

export const training = {
  epochs: count.default(24).describe('Passes over the training part.'),
  stepsPerEpoch: count
    .nullable()
    .default(null)
    .describe('Most steps of an epoch, which then sees a part of the images, another one each time; `null`: all.'),
  time: z.string().regex(DURATION).nullable().default(null).meta({
    description:
      "Plan the run for so much time (`90s`, `30m`, `2h`), from its start to its report: a few steps, an evaluation and a checkpoint are timed first, and `epochs` and `stepsPerEpoch` follow from that. The run directory's recipe has what was planned.",
    expects: 'null, or a duration such as 90s, 30m or 2h',
  }),
  batch: z
    .union([z.literal('auto'), count])
    .default(8)
    .meta({
      description:
        "Images per step. `auto`: the largest batch whose memory, measured in real steps, stays within `memory`, and of which an epoch has 16 or more; the run directory's recipe has the number.",
      expects: 'auto, or a whole number, at least 1',
    }),
  memory: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('MiB that the process may take with `batch: auto`; `null`: 70 % of what is free.'),
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
