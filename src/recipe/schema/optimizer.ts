/** Options of how gradients become steps. */
import { z } from 'zod';
import { count, fraction } from '../../optionValues.js';

const share = z.number().min(0).lt(1);

export const optimization = {
  optimizer: z
    .strictObject({
      name: z
        .enum(['sgd', 'adamw', 'rmsprop', 'lamb'])
        .default('sgd')
        .describe(
          '`sgd` with momentum, `adamw`, `rmsprop`: as in PyTorch. `lamb`, for very large batches: as in timm. Each with its own learning rate: about 0.001 for `adamw`.',
        ),
      momentum: share.default(0.9).describe('Share of the last step carried into the next. Of `sgd` and `rmsprop`.'),
      nesterov: z.boolean().default(true).describe("Nesterov's form of momentum. Of `sgd`."),
      betas: z.tuple([share, share]).default([0.9, 0.999]).meta({
        description: 'Shares of the old means of the gradient and its square in the new ones. Of `adamw` and `lamb`.',
        expects: 'two numbers from 0 to below 1',
      }),
      smoothing: share.default(0.9).describe('Share of the old mean square in the new one. Of `rmsprop`.'),
      epsilon: z.number().positive().default(1e-8).describe('Added to the denominator. Of all but `sgd`.'),
      weightDecay: z
        .number()
        .min(0)
        .default(4e-5)
        .describe(
          'Decay of the weights: a part of the gradient with `sgd` and `rmsprop`, apart from it with `adamw`, as in PyTorch.',
        ),
      decayOn: z
        .enum(['weights', 'all'])
        .default('weights')
        .describe(
          "What decays: weights of convolutions and linear layers, or biases and BatchNorm's scale and shift too.",
        ),
    })
    .prefault({})
    .describe('How gradients become steps.'),
  accumulate: count
    .default(1)
    .describe('Batches whose mean gradient makes one step: as a batch so many times as large, in the memory of one.'),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(10)
    .describe('Largest global norm of the gradient, longer ones are scaled down; `null` for no limit.'),
  clipValue: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Largest absolute value in a gradient, larger ones are cut off; `null` for no limit.'),
  ema: z
    .union([
      z.literal(false),
      z.strictObject({
        decay: share.default(0.999).describe('Share of the old mean in the new.'),
        warmup: z.boolean().default(true).describe('After t steps at most (1 + t)/(10 + t).'),
      }),
    ])
    .default(false)
    .describe('Evaluate and keep as best the running mean of the weights instead of the weights; `false` for none.'),
  backboneLr: z.number().min(0).default(1).describe("Factor on the learning rate of the backbone's parameters."),
  layerDecay: z.number().positive().max(1).default(1).meta({
    description: 'Factor on the learning rate from each stage of the backbone to the one before it.',
    expects: 'a number above 0, at most 1',
  }),
  groups: z
    .array(
      z.strictObject({
        pattern: z.string().min(1).describe('Names as in a checkpoint; `*` stands for anything.'),
        lr: z.number().min(0).default(1).describe('Factor on the learning rate.'),
        weightDecay: z.number().min(0).optional().describe("Instead of the optimizer's."),
      }),
    )
    .default([])
    .describe(
      'Parameters with a rate or a decay of their own. When there are any, each trained parameter must match exactly one.',
    ),
};

export const schedule = {
  lr: z
    .strictObject({
      value: z.number().positive().default(0.02).describe('The peak learning rate for `perBatch` images.'),
      perBatch: count
        .default(32)
        .describe(
          'The images that `value` is meant for: the rate used is value × train.batch × train.accumulate / perBatch, and it is printed.',
        ),
    })
    .prefault({})
    .describe('The learning rate.'),
  warmup: z
    .strictObject({
      epochs: z.number().min(0).default(1).describe('Epochs of linear rise from 0; 0.5 is half an epoch.'),
      steps: z.int().min(0).nullable().default(null).describe('Batches of linear rise, instead of epochs.'),
    })
    .prefault({})
    .describe('The rise of the learning rate at the start.'),
  schedule: z
    .strictObject({
      name: z
        .enum(['cosine', 'step', 'poly', 'onecycle', 'plateau'])
        .default('cosine')
        .describe(
          'The way of the learning rate after warm-up. `cosine`: half a cosine down to 0. `step`: times `factor` at the ends of the epochs `at`. `poly`: (1 − t)^`power`. `onecycle`: 30 % of the steps up from a 25th, then down to almost 0. `plateau`: times `factor` when the score was no better for more than `patience` evaluations.',
        ),
      at: z.array(count).default([]).describe('Epochs after which `step` cuts.'),
      factor: fraction.default(0.1).describe('Of `step` and `plateau`.'),
      power: z.number().positive().default(0.9).describe('Of `poly`.'),
      patience: z.int().min(0).default(3).describe('Of `plateau`.'),
    })
    .prefault({})
    .describe('The way of the learning rate.'),
};
