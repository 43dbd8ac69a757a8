import { activate, conv, linear, normActivate, type Context } from '../../graph/blocks.js';
import { reshape } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';

export interface YoloV1HeadOptions {
  readonly numClasses: number;
  /** Boxes predicted by each cell. */
  readonly boxes: number;
  /** Of the two convolutions in front. */
  readonly channels: number;
  /** Units of the hidden layer over the whole image; 0: the cells are read by a 1×1 convolution, each for itself. */
  readonly hidden: number;
}

/** YOLO's head on a map of stride 32: two convolutions, the second of stride 2, and a layer that fills the grid. Redmon et al. 2016
 *  (arXiv:1506.02640), section 2.1. [N,H,W,C] → [N, H/2·W/2, boxes·5 + numClasses]: of each box x, y, √w, √h and confidence, then the classes. */
export function yoloV1Head(
  map: Value,
  at: Context,
  { numClasses, boxes, channels, hidden }: YoloV1HeadOptions,
): { readonly cells: Value; readonly height: number; readonly width: number } {
  const first = conv(map, 'head.conv1', at, { channels, kernel: 3 });
  const second = conv(normActivate(first, 'head.bn1', at, 'leakyRelu'), 'head.conv2', at, {
    channels,
    kernel: 3,
    stride: 2,
  });
  const x = normActivate(second, 'head.bn2', at, 'leakyRelu');
  const [n, height, width] = x.shape as [number, number, number];
  const columns = boxes * 5 + numClasses;
  if (hidden === 0) {
    const y = conv(x, 'head.predict', at, { channels: columns, bias: true, init: { type: 'normal', std: 0.01 } });
    return { cells: reshape(y, [n, height * width, columns]), height, width };
  }
  const flat = reshape(x, [n, height * width * channels]);
  const wide = activate(linear(flat, 'head.hidden', at, { units: hidden }), 'leakyRelu');
  const y = linear(wide, 'head.predict', at, { units: height * width * columns });
  return { cells: reshape(y, [n, height * width, columns]), height, width };
}
