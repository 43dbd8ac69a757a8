/** Options of `train` that all tasks share. */
import { z } from 'zod';
import { DURATION } from '../../duration.js';
import { optimization, schedule } from './optimizer.js';
import { count, names } from '../../optionValues.js';

const frozenPart = z
  .union([z.literal('all'), z.int().min(0), names.min(1)])
  .meta({ expects: 'all, or a whole number, at least 0, or a list of patterns' });

export const training = {
  epochs: count
    .default(24)
    .describe('Number of passes over the training part. Raise it while the validation score still rises at the end.')
    .meta({ example: 60 }),
  stepsPerEpoch: count
    .nullable()
    .default(null)
    .describe(
      'Most steps of an epoch; `null` for as many as all images fill. Set it when an epoch of a large data set takes too long between two evaluations: each epoch then sees a different part of the images.',
    )
    .meta({ example: 500 }),
  time: z.string().regex(DURATION).nullable().default(null).meta({
    description:
      "Time that the whole run may take, from its start to its report: `90s`, `30m` or `2h`. Some steps, an evaluation and a checkpoint are timed first, and `epochs` and `stepsPerEpoch` are planned from that; the run directory's recipe has the planned numbers. Set it instead of `epochs` when the time is what limits you.",
    expects: 'null, or a duration such as 90s, 30m or 2h',
    example: '30m',
  }),
  batch: z
    .union([z.literal('auto'), count])
    .default(8)
    .meta({
      description:
        "Images per batch. `auto` measures real steps and takes the largest batch that stays within `memory` and makes at least 16 steps an epoch; the run directory's recipe has the number. Lower it when memory runs out; raise it when there is room.",
      expects: 'auto, or a whole number, at least 1',
      example: 'auto',
    }),
  memory: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Memory in MiB that the process may take with `batch: auto`; `null` for 70 % of what is free. Set it when other programs need the rest.',
    )
    .meta({ example: 6000 }),
  ...optimization,
  ...schedule,
  freeze: z
    .strictObject({
      stages: frozenPart
        .default(0)
        .describe(
          "The frozen part: a number of the backbone's stages, counted from the input; `all` for the whole backbone; or patterns of parameter names such as `backbone.blocks.0.*` (`*` matches anything). Freeze more stages when there are few images, or to train faster.",
        )
        .meta({ example: 4 }),
      batchNorm: z
        .enum(['train', 'eval', 'frozen'])
        .default('train')
        .describe(
          "BatchNorm in the backbone's trained stages. `train` normalises with the batch's statistics and updates the running ones. `eval` normalises with the running ones and does not update them. `frozen` is `eval` with scale and shift fixed, too. Choose `eval` for small batches, whose statistics are noisy.",
        ),
      unfreeze: z
        .array(
          z.strictObject({
            epoch: count.describe('Number of epochs that are done before.').meta({ example: 5 }),
            stages: frozenPart.describe('The frozen part from then on, as in `stages`.').meta({ example: 0 }),
            lr: z
              .number()
              .positive()
              .default(1)
              .describe('Factor on the learning rate from then on.')
              .meta({ example: 0.1, when: 'Lower it so that the layers that are trained from then on change slowly.' }),
          }),
        )
        .default([])
        .describe(
          'Unfreezes stages step by step (Howard & Ruder 2018, arXiv:1801.06146), in the order of the epochs; parameters that are trained already keep their momentum. Use it to train a new head first and then the backbone at a low rate: `[{ epoch: 5, stages: 0, lr: 0.1 }]`.',
        )
        .meta({ example: [{ epoch: 5, stages: 0, lr: 0.1 }] }),
    })
    .prefault({})
    .describe(
      'Which parameters stay as they were loaded, to the byte: the run directory has a receipt with hashes from before and after.',
    ),
  syncBatchNorm: z
    .boolean()
    .default(false)
    .describe(
      "Whether BatchNorm normalises with the statistics of the images of all workers, where several train together (docs/scaling.md); a worker that trains alone always does. It costs two exchanges with the other workers for each BatchNorm. Set it when each worker's `batch` is small: below about 8 images.",
    ),
  cache: z
    .enum(['none', 'memory', 'disk'])
    .default('none')
    .describe(
      'Where to keep the outputs of the frozen stages, so that each image runs through them only once, or again when its file changes. Features on `disk` also serve a run that resumes. Set it to train faster; it needs frozen stages, and no augmentation but `flip`.',
    ),
  cacheLimit: z
    .int()
    .min(1)
    .default(1024)
    .describe(
      'Most MiB that the cache may take; the features of further images are computed each time. Raise it when the run reports that few steps came from the cache.',
    )
    .meta({ example: 4096 }),
  checkpointEvery: z
    .union([count, z.string().regex(DURATION)])
    .default('5m')
    .meta({
      description:
        'Steps, or time (`90s`, `5m`, `1h`), between checkpoints within an epoch; the end of each epoch has one, too. A killed run resumes from the last one: lower it when epochs are long and the machine is unreliable.',
      expects: 'a whole number of steps, or a duration such as 90s, 5m or 1h',
      example: '1m',
    }),
  evaluateEvery: count
    .default(1)
    .describe(
      'Epochs between evaluations; the last epoch is always evaluated. Raise it when evaluations take much of the time.',
    )
    .meta({ example: 5 }),
  earlyStop: z
    .union([
      z.literal(false),
      z.strictObject({
        patience: count
          .default(5)
          .describe('Number of evaluations in a row without a better score after which the run ends.')
          .meta({ example: 10, when: 'Raise it when the score is noisy.' }),
        minDelta: z
          .number()
          .min(0)
          .default(0)
          .describe('A score counts as better when it is higher by more than this.')
          .meta({ example: 0.001, when: 'Raise it so that tiny gains do not prolong the run.' }),
      }),
    ])
    .default(false)
    .describe(
      'Ends the run when the score `evaluate.best` stops rising; `false` trains all epochs. The schedule of the learning rate still spans all epochs. Set it when you do not know how many epochs are needed.',
    )
    .meta({ example: { patience: 5, minDelta: 0.001 } }),
  logEvery: count
    .default(10)
    .describe('Steps per line of metrics.jsonl. Lower it for smoother curves of short runs.')
    .meta({ example: 1 }),
};
