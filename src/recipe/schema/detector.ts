/** `model` for detection: what all heads share, and what each has of its own. */
import { z } from 'zod';
import { count } from './values.js';
import { backbone } from './backbone.js';
import { weights } from './weights.js';

const common = { backbone, ...weights };

const classLoss = z
  .enum(['sigmoid', 'softmax'])
  .default('softmax')
  .describe(
    '`sigmoid`: one yes-or-no output for each class, focal loss. `softmax`: the classes and a background compete, hard negatives are mined.',
  );

const share = z.number().positive().max(2);
/** Anchors by the name of their origin, or one's own. */
const anchors = <const K extends string>(origins: readonly [K, ...K[]]) => {
  const own = 'for each level a list of [width, height] as shares of the input';
  return z
    .union([z.enum(origins), z.array(z.array(z.tuple([share, share]))).min(1)])
    .default(origins[0])
    .meta({
      description: `Sizes of the anchors, in the order of the published weights' columns (${origins.join(', ')}), or your own, finest level first. A level with an empty list predicts nothing.`,
      expects: `${origins.join(', ')}, or ${own}`,
    });
};

const boxLoss = (usual: 'l1' | 'smoothL1') =>
  z
    .enum(['l1', 'smoothL1', 'balancedL1', 'giou', 'diou'])
    .default(usual)
    .describe(
      'How predicted boxes are compared with the truth. By offsets: `l1`, `smoothL1`, `balancedL1` (Libra R-CNN, arXiv:1904.02701). By overlap: `giou` (arXiv:1902.09630), `diou` (arXiv:1911.08287).',
    );

const ssdlite = z.strictObject({
  head: z
    .literal('ssdlite')
    .optional() // so that the union takes a recipe without a head for this one
    .default('ssdlite')
    .describe('SSD with depthwise convolutions in neck and head (Sandler et al. 2018, arXiv:1801.04381, §6.2).'),
  ...common,
  classLoss,
  boxLoss: boxLoss('smoothL1'),
  finestStride: z
    .literal([8, 16])
    .default(16)
    .describe(
      'Stride of the finest feature level, pixels of the input per cell. 8 adds a level for small objects in front of the six from 16 on.',
    ),
  anchors: anchors(['tensorflow', 'torchvision']),
  lowestLevelAnchors: z
    .literal([3, 6])
    .default(3)
    .describe(
      'Anchors per cell of the finest feature level; the other levels have 6. Only with `anchors: tensorflow`.',
    ),
});

const ssd = z.strictObject({
  head: z
    .literal('ssd')
    .describe('SSD on a VGG, dense and slow, at 300×300 as published (Liu et al. 2016, arXiv:1512.02325).'),
  ...common,
  classLoss,
  boxLoss: boxLoss('smoothL1'),
  anchors: anchors(['torchvision']),
});

const yolov1 = z.strictObject({
  head: z
    .literal('yolov1')
    .describe(
      'A grid of cells of 64 pixels (7×7 at 448), each with one class and some boxes, no anchors (Redmon et al. 2016, arXiv:1506.02640). Of objects with their centre in one cell it learns the first.',
    ),
  ...common,
  boxesPerCell: count
    .default(2)
    .describe('Boxes that each cell predicts; the one that overlaps the object best learns it.'),
  channels: count.default(512).describe("Channels of the head's two convolutions. The paper's last ones have 1024."),
  hidden: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'Units of the hidden layer over the whole image, 4096 in the paper; 0 reads each cell by a 1×1 convolution instead, with a hundredth of the parameters.',
    ),
});

const pyramid = {
  neck: z
    .enum(['fpn', 'balanced'])
    .default('fpn')
    .describe(
      '`fpn`: a feature pyramid (Lin et al. 2017, arXiv:1612.03144). `balanced`: with all levels refined together behind it (Libra R-CNN, Pang et al. 2019, arXiv:1904.02701, §3.2); it wants `data.size` in multiples of its coarsest stride.',
    ),
  channels: count.default(256).describe("Channels of the pyramid's levels and of the head."),
};

const retinanet = z.strictObject({
  head: z
    .literal('retinanet')
    .describe('Dense predictions on a feature pyramid, focal loss (Lin et al. 2017, arXiv:1708.02002).'),
  ...common,
  ...pyramid,
  anchorScale: z
    .number()
    .positive()
    .default(4)
    .describe(
      'Side of the smallest square anchor of a level, in strides: 4 is 32 pixels at stride 8. Less for smaller objects.',
    ),
  boxLoss: boxLoss('l1'),
});

const fasterRcnn = z.strictObject({
  head: z
    .literal('fasterRcnn')
    .describe('Proposals first, then each looked at again (Ren et al. 2015, arXiv:1506.01497), on a feature pyramid.'),
  ...common,
  ...pyramid,
  anchorScale: z
    .number()
    .positive()
    .default(8)
    .describe("Side of a level's square anchor, in strides: 8 is 32 pixels at stride 4. Less for smaller objects."),
  boxLoss: boxLoss('smoothL1').describe(
    'As with `head: retinanet`, for the second stage; proposals learn by `smoothL1`.',
  ),
  proposals: count
    .default(1000)
    .describe('Most proposals of an image that the second stage looks at; training chooses from twice as many.'),
  sampledBoxes: count
    .default(512)
    .describe('Proposals of an image that the second stage learns from, a quarter of them positive.'),
  sampling: z
    .enum(['random', 'iouBalanced'])
    .default('random')
    .describe('Which negatives it learns from: any, or evenly over their overlap with objects (Libra R-CNN, §3.1).'),
  units: count.default(1024).describe("Units of the second stage's two hidden layers."),
});

/** Told apart by `head`; each head's own options stand in one object here, and nowhere else. */
export const detector = z.discriminatedUnion('head', [ssdlite, ssd, yolov1, retinanet, fasterRcnn]);
