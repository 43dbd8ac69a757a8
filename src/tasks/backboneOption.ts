/** `model.backbone`: the name of a published network, or a table of the user's own. */
import { z } from 'zod';
import { backbones } from '../models/registry.js';
import { count } from '../optionValues.js';

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
      'The kind of block. `conv` is a convolution. `separable` is a depthwise and a 1×1 convolution, each with its activation (MobileNetV1). `bottleneck` is a 1×1 expansion, a depthwise and a linear 1×1 convolution, plus the input where the shapes are equal (MobileNetV2). Every convolution has its BatchNorm.',
    )
    .meta({ example: 'bottleneck' }),
  expansion: z
    .number()
    .min(1)
    .max(32)
    .optional()
    .describe(
      'Factor by which a `bottleneck` is wider inside than its input; 1, the default, expands nothing. Lower it for a cheaper block.',
    )
    .meta({ example: 6 }),
  channels: count.max(8192).describe('Number of output channels.').meta({ example: 24 }),
  repeats: count
    .max(64)
    .default(1)
    .describe('Number of blocks in this row; only the first has the stride. Raise it for a deeper network.')
    .meta({ example: 2 }),
  stride: z
    .literal([1, 2])
    .default(1)
    .describe('Stride of the first block. Set 2 where the feature map should become half as large.'),
  se: z.number().positive().max(1).optional().meta({
    description:
      'Adds squeeze-excite between the depthwise and the last 1×1 convolution, with this share of the channels of `seOf` in its middle; default: none. Set it for more accuracy at little cost.',
    expects: 'a number above 0, at most 1',
    example: 0.25,
  }),
  activation: activation
    .optional()
    .describe("The activation of this row; default: the table's. Set it where a row differs, as in MobileNetV3.")
    .meta({ example: 'hardSwish' }),
  kernel: z
    .union([side, z.array(side).min(2).max(8)])
    .optional()
    .meta({
      description:
        'Side of the kernel; default: 3. A list mixes several depthwise kernels, each on its share of the channels (MixConv). Raise it for a larger receptive field.',
      expects: 'an odd number from 1 to 31, or a list of them',
      example: [3, 5],
    }),
});

const table = z.strictObject({
  name: z
    .string()
    .min(1)
    .default('custom')
    .describe('Name of the network in reports and messages. Set it when you compare several tables.')
    .meta({ example: 'mine' }),
  stem: count
    .max(8192)
    .default(32)
    .describe('Channels of the first convolution, which is 3×3 with stride 2. Lower it for a cheaper network.')
    .meta({ example: 16 }),
  rows: z
    .array(row)
    .min(1)
    .max(64)
    .describe(
      'Rows of blocks, from the image on. Four of them must have stride 2, so that the last feature map has stride 32. Each row is a stage for `train.freeze`.',
    )
    .meta({ example: [{ operator: 'bottleneck', expansion: 6, channels: 24, repeats: 2, stride: 2 }] }),
  head: z
    .int()
    .min(0)
    .max(8192)
    .default(1280)
    .describe('Channels of the 1×1 convolution after the rows; 0 for none. Lower it for a cheaper network.')
    .meta({ example: 0 }),
  activation: activation
    .default('relu6')
    .describe(
      'The activation after every BatchNorm, except after linear convolutions. Set the one that the weights were trained with.',
    )
    .meta({ example: 'swish' }),
  seOf: z
    .enum(['input', 'expanded'])
    .default('input')
    .describe(
      "The channels that a row's `se` is a share of: those of the block's `input`, as in EfficientNet, or the `expanded` ones, as in MobileNetV3. Set the one that the weights were trained with.",
    ),
  seGate: z
    .enum(['sigmoid', 'hardSigmoid'])
    .default('sigmoid')
    .describe('The function of the squeeze-excite gate. Set the one that the weights were trained with.'),
  style: z
    .enum(['pytorch', 'tensorflow'])
    .default('pytorch')
    .describe(
      "The library whose conventions the network follows. `pytorch` has symmetric padding, BatchNorm's ε of 1e-5, and ImageNet's mean and standard deviation. `tensorflow` has `same` padding, an ε of 1e-3, and pixels from −1 to 1. Set the one that the weights were trained with.",
    ),
});

export const backbone = z
  .union([z.enum([...backbones.keys()]), table])
  .default('mobilenetv2_100')
  .meta({
    description:
      'The network that extracts the features: a name (docs/models.md compares them), or a table of your own, whose parameters have the names that timm gives those of the MobileNet family. `finetune models recipe.yaml` counts its cost and measures its time. Choose a larger one for accuracy, a smaller one for speed.',
    expects: 'the name of a backbone: `finetune models` lists them; or a table with rows',
    example: 'tf_efficientnet_lite0',
  });

/** A table in a recipe, with its defaults. */
export type BackboneTable = z.output<typeof table>;
