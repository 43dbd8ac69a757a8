/** `model.backbone`: a published network by its name, or a table of one's own. */
import { z } from 'zod';
import { backbones } from '../../models/registry.js';
import { count } from '../../optionValues.js';

const side = z
  .int()
  .min(1)
  .max(31)
  .refine((kernel) => kernel % 2 === 1);
const activation = z.enum(['relu', 'relu6', 'leakyRelu', 'swish', 'hardSwish', 'none']);

const row = z.strictObject({
  operator: z
    .enum(['conv', 'separable', 'bottleneck'])
    .describe(
      '`conv`: a convolution. `separable`: depthwise and 1×1, each with its activation (MobileNetV1). `bottleneck`: 1×1 expansion, depthwise, linear 1×1, and the sum with the input where shapes allow (MobileNetV2). Each convolution has its BatchNorm.',
    ),
  expansion: z
    .number()
    .min(1)
    .max(32)
    .optional()
    .describe('How many times wider a `bottleneck` is inside; with 1, as without it, nothing is expanded.'),
  channels: count.max(8192).describe('Output channels.'),
  repeats: count.max(64).default(1).describe('Blocks of this row; only the first has the stride.'),
  stride: z.literal([1, 2]).default(1).describe('Stride of the first block.'),
  se: z.number().positive().max(1).optional().meta({
    description:
      'Squeeze-excite between depthwise and last 1×1: its middle channels as a share of `seOf`. Without it: none.',
    expects: 'a number above 0, at most 1',
  }),
  activation: activation.optional().describe("Instead of the table's."),
  kernel: z
    .union([side, z.array(side).min(2).max(8)])
    .optional()
    .meta({
      description:
        'Side of the kernel, 3 without it. A list mixes several depthwise kernels, each on its share of the channels (MixConv).',
      expects: 'an odd number from 1 to 31, or a list of them',
    }),
});

const table = z.strictObject({
  name: z.string().min(1).default('custom').describe('What reports and messages call it.'),
  stem: count.max(8192).default(32).describe('Channels of the 3×3 convolution with stride 2 in front.'),
  rows: z
    .array(row)
    .min(1)
    .max(64)
    .describe(
      'From the image on; four rows have stride 2, so that the last map has stride 32. Each row is a stage to `train.freeze`.',
    ),
  head: z.int().min(0).max(8192).default(1280).describe('Channels of the 1×1 convolution behind the rows; 0 for none.'),
  activation: activation.default('relu6').describe('Behind every BatchNorm but those of linear convolutions.'),
  seOf: z
    .enum(['input', 'expanded'])
    .default('input')
    .describe("What a row's `se` is a share of: the block's input, or what is expanded."),
  seGate: z.enum(['sigmoid', 'hardSigmoid']).default('sigmoid').describe('The gate of squeeze-excite.'),
  style: z
    .enum(['pytorch', 'tensorflow'])
    .default('pytorch')
    .describe(
      "Whose weights fit. `pytorch`: symmetric padding, ε 1e-5, ImageNet's mean and deviation. `tensorflow`: `same` padding, ε 1e-3, pixels to −1 … 1.",
    ),
});

export const backbone = z
  .union([z.enum([...backbones.keys()]), table])
  .default('mobilenetv2_100')
  .meta({
    description:
      'The network that extracts the features: a name (docs/models.md compares them), or a table of your own; its parameters are called as timm calls those of the MobileNet family. `finetune models recipe.yaml` counts and times it.',
    expects: 'the name of a backbone: `finetune models` lists them; or a table with rows',
  });

/** A table as recipes have it. */
export type BackboneTable = z.output<typeof table>;
