/** Options of the optimizer and of the learning rate. */
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
          'The optimizer: `sgd` with momentum, `adamw` and `rmsprop` as in PyTorch, `lamb` for very large batches as in timm. Change `lr.value` with it: about 0.001 suits `adamw`.',
        ),
      momentum: share
        .default(0.9)
        .describe(
          'Share of the last step that is carried into the next, with `sgd` and `rmsprop`. Lower it when the loss oscillates.',
        )
        .meta({ example: 0.8 }),
      nesterov: z
        .boolean()
        .default(true)
        .describe(
          "Use Nesterov's form of momentum with `sgd`. Set `false` to reproduce a training with plain momentum.",
        ),
      betas: z
        .tuple([share, share])
        .default([0.9, 0.999])
        .meta({
          description:
            'Shares of the old means of the gradient and of its square in the new ones, with `adamw` and `lamb`. The default suits most trainings.',
          expects: 'two numbers from 0 to below 1',
          example: [0.9, 0.99],
        }),
      smoothing: share
        .default(0.9)
        .describe(
          'Share of the old mean square of the gradient in the new one, with `rmsprop`. The default suits most trainings.',
        )
        .meta({ example: 0.99 }),
      epsilon: z
        .number()
        .positive()
        .default(1e-8)
        .describe(
          'Number that is added to the denominator, with all optimizers but `sgd`. Raise it, to 0.001 say, when steps on tiny gradients are too large.',
        )
        .meta({ example: 0.001 }),
      weightDecay: z
        .number()
        .min(0)
        .default(4e-5)
        .describe(
          'Weight decay: added to the gradient with `sgd` and `rmsprop`, separate from it with `adamw`, as in PyTorch. Raise it when the model overfits; with `adamw` 0.01 to 0.05 is usual.',
        )
        .meta({ example: 0.01 }),
      decayOn: z
        .enum(['weights', 'all'])
        .default('weights')
        .describe(
          "Which parameters decay: `weights` of convolutions and linear layers, or `all` with biases and BatchNorm's scale and shift. Set `all` to reproduce a training that did so.",
        ),
    })
    .prefault({})
    .describe('How gradients change the parameters.'),
  accumulate: count
    .default(1)
    .describe(
      'Number of batches whose mean gradient makes one step; the last step of an epoch takes those that are left, and is smaller by those that it lacks. Several workers exchange gradients once in a step. Raise it for the effect of a larger batch in the memory of a small one; BatchNorm still sees single batches.',
    )
    .meta({ example: 4 }),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(10)
    .describe(
      'Largest Euclidean norm of all gradients together; longer ones are scaled down; `null` for no limit. Lower it when single batches make the loss jump.',
    )
    .meta({ example: 1 }),
  clipValue: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Largest absolute value of an element of a gradient; larger ones are cut off; `null` for no limit. `clipNorm` is usually enough.',
    )
    .meta({ example: 0.5, when: 'Set it when single values are much larger than the rest.' }),
  ema: z
    .union([
      z.literal(false),
      z.strictObject({
        decay: share
          .default(0.999)
          .describe('Share of the old mean in the new one. Raise it towards 0.9999 for long runs.')
          .meta({ example: 0.9999 }),
        warmup: z
          .boolean()
          .default(true)
          .describe('Limit the decay to (1 + t)/(10 + t) after t steps, so that the mean forgets the initial weights.')
          .meta({ when: 'Set `false` to reproduce a training with a constant decay.' }),
      }),
    ])
    .default(false)
    .describe(
      'Keeps a moving average of the weights, which is evaluated and saved as best in their place; `false` for none. Set it when the score varies much from epoch to epoch.',
    )
    .meta({ example: { decay: 0.999 } }),
  backboneLr: z
    .number()
    .min(0)
    .default(1)
    .describe(
      "Factor on the learning rate of the backbone's parameters. Lower it, to 0.1 say, to keep more of what a pretrained backbone knows.",
    )
    .meta({ example: 0.1 }),
  layerDecay: z.number().positive().max(1).default(1).meta({
    description:
      'Factor on the learning rate from each stage of the backbone to the one before it, so that stages near the input learn more slowly. Try 0.7 to 0.9 with pretrained weights and few images.',
    expects: 'a number above 0, at most 1',
    example: 0.8,
  }),
  groups: z
    .array(
      z.strictObject({
        pattern: z
          .string()
          .min(1)
          .describe('Pattern of parameter names as in a checkpoint, such as `head.*`; `*` matches anything.')
          .meta({ example: 'backbone.*' }),
        lr: z.number().min(0).default(1).describe('Factor on the learning rate of these parameters.').meta({
          example: 0.1,
          when: 'Lower it to keep more of the pretrained values, raise it for layers that start from random values.',
        }),
        weightDecay: z
          .number()
          .min(0)
          .optional()
          .describe("Weight decay of these parameters; default: the optimizer's.")
          .meta({ example: 0, when: 'Set 0 for parameters that should not decay.' }),
      }),
    )
    .default([])
    .describe(
      'Groups of parameters with their own learning rate or weight decay. With groups, each trained parameter must match exactly one of them. Use them for what `backboneLr` and `layerDecay` cannot express.',
    )
    .meta({ example: [{ pattern: 'backbone.*', lr: 0.1 }, { pattern: 'head.*' }] }),
};

export const schedule = {
  lr: z
    .strictObject({
      value: z
        .number()
        .positive()
        .default(0.02)
        .describe(
          'The peak learning rate for `perBatch` images a step. This is the first option to tune: `finetune lr-find` suggests a value.',
        )
        .meta({ example: 0.01 }),
      perBatch: count
        .default(32)
        .describe(
          'Number of images a step that `value` is meant for. The rate used is value × train.batch × train.accumulate / perBatch, and it is printed at the start. Set it to `train.batch` to give the rate directly.',
        )
        .meta({ example: 8 }),
    })
    .prefault({})
    .describe('The learning rate, which is scaled with the batch.'),
  warmup: z
    .strictObject({
      epochs: z
        .number()
        .min(0)
        .default(1)
        .describe(
          'Epochs during which the rate rises linearly from 0; 0.5 is half an epoch. Raise it when the loss jumps at the start.',
        )
        .meta({ example: 0.5 }),
      steps: z
        .int()
        .min(0)
        .nullable()
        .default(null)
        .describe(
          'Number of steps of the rise, instead of `epochs`; `null` to use `epochs`. Set it when an epoch has thousands of steps.',
        )
        .meta({ example: 500 }),
    })
    .prefault({})
    .describe('The rise of the learning rate at the start.'),
  schedule: z
    .strictObject({
      name: z
        .enum(['cosine', 'step', 'poly', 'onecycle', 'plateau'])
        .default('cosine')
        .describe(
          'How the learning rate changes after the warm-up. `cosine` falls to 0 along half a cosine. `step` is multiplied by `factor` at the ends of the epochs `at`. `poly` falls as (1 − t)^`power`. `onecycle` rises from a 25th of the peak in 30 % of the steps, then falls to almost 0. `plateau` is multiplied by `factor` when the score was no better for more than `patience` evaluations. `cosine` suits most runs; `plateau` suits runs of unknown length.',
        ),
      at: z
        .array(count)
        .default([])
        .describe('Epochs after which `step` multiplies the rate by `factor`, such as `[16, 22]` of 24.')
        .meta({ example: [16, 22], when: 'Set it with `name: step`.' }),
      factor: fraction
        .default(0.1)
        .describe('Factor of each cut of `step` and `plateau`. Raise it, to 0.3 say, for more and smaller cuts.')
        .meta({ example: 0.3 }),
      power: z
        .number()
        .positive()
        .default(0.9)
        .describe('Exponent of `poly`; 1 is a straight line.')
        .meta({ example: 1, when: 'Raise it for a faster fall at the start.' }),
      patience: z
        .int()
        .min(0)
        .default(3)
        .describe(
          'Evaluations in a row without a better score that `plateau` tolerates. Raise it when the score is noisy.',
        )
        .meta({ example: 5 }),
    })
    .prefault({})
    .describe('How the learning rate changes during the run.'),
};
