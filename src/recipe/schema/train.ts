/** Options of `train` that every task has. */
import { z } from 'zod';
import { DURATION } from '../duration.js';
import { count } from './values.js';

export const training = {
  epochs: count.default(24).describe('Passes over the training part.'),
  batch: count.default(8).describe('Images per step.'),
  optimizer: z
    .strictObject({
      name: z.enum(['sgd']).default('sgd').describe('Stochastic gradient descent with momentum.'),
      momentum: z.number().min(0).lt(1).default(0.9).describe('Share of the last step carried into the next.'),
      nesterov: z.boolean().default(true).describe("Nesterov's form of momentum."),
      weightDecay: z
        .number()
        .min(0)
        .default(4e-5)
        .describe('Decay of the weights, decoupled from the gradient; biases and BatchNorm have none.'),
    })
    .prefault({})
    .describe('How gradients become steps.'),
  lr: z
    .strictObject({
      value: z.number().positive().default(0.02).describe('The peak learning rate for `perBatch` images.'),
      perBatch: count
        .default(32)
        .describe(
          'The batch that `value` is meant for: the rate used is value × train.batch / perBatch, and it is printed.',
        ),
    })
    .prefault({})
    .describe('The learning rate.'),
  warmup: z
    .strictObject({
      epochs: z.number().min(0).default(1).describe('Epochs of linear rise from 0; 0.5 is half an epoch.'),
    })
    .prefault({})
    .describe('The rise of the learning rate at the start.'),
  schedule: z
    .enum(['cosine'])
    .default('cosine')
    .describe('The way of the learning rate after warm-up: half a cosine down to 0.'),
  backboneLr: z.number().min(0).default(1).describe("Factor on the learning rate of the backbone's parameters."),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(10)
    .describe('Largest global norm of the gradient, longer ones are scaled down; `null` for no limit.'),
  freeze: z
    .strictObject({
      stages: z
        .union([z.literal('all'), z.int().min(0)])
        .default(0)
        .describe('Stages of the backbone that stay as loaded, counted from the input; `all` for the whole backbone.'),
      batchNorm: z
        .enum(['train', 'eval', 'frozen'])
        .default('train')
        .describe(
          "BatchNorm in the backbone's trained stages. `train`: the batch's statistics, running ones updated. `eval`: running ones, not updated. `frozen`: as `eval`, and scale and shift are not trained either.",
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
      'Where the outputs of the frozen stages are kept, so that each image runs through them once. Needs frozen stages and no augmentation but `flip`.',
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
  logEvery: count.default(10).describe('Steps per line of metrics.jsonl.'),
};
