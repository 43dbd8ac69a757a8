import { activate, conv, linear, normActivate, type Context } from '../../../../graph/blocks.js';
import { reshape } from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { buildTrunk, type Build } from '../../../../models/detector.js';
import { cellColumns, type CellGrid } from './decode.js';
import type { YoloV1Options } from './options.js';

/** Backbone and head for one batch and size: cells [N, grid.height · grid.width, columns], row after row. */
export function yoloV1Network(
  options: YoloV1Options,
  build: Build,
): { readonly image: Value; readonly cells: Value; readonly grid: CellGrid } {
  const { image, taps, at } = buildTrunk(options.backbone, build);
  return { image, ...head(taps.c5, at, options) };
}

/** YOLO's head on a map of stride 32: two convolutions, the second with stride 2, and a layer that predicts the cells.
 *  Redmon et al. 2016 (arXiv:1506.02640), section 2.1. */
function head(map: Value, at: Context, options: YoloV1Options): { readonly cells: Value; readonly grid: CellGrid } {
  const { channels, hidden } = options;
  const first = conv(map, 'head.conv1', at, { channels, kernel: 3 });
  const second = conv(normActivate(first, 'head.bn1', at, 'leakyRelu'), 'head.conv2', at, {
    channels,
    kernel: 3,
    stride: 2,
  });
  const x = normActivate(second, 'head.bn2', at, 'leakyRelu');
  const [n, height, width] = x.shape as [number, number, number];
  const columns = cellColumns(options);
  const grid = { height, width };
  if (hidden === 0) {
    const y = conv(x, 'head.predict', at, { channels: columns, bias: true, init: { type: 'normal', std: 0.01 } });
    return { cells: reshape(y, [n, height * width, columns]), grid };
  }
  const flat = reshape(x, [n, height * width * channels]);
  const wide = activate(linear(flat, 'head.hidden', at, { units: hidden }), 'leakyRelu');
  const y = linear(wide, 'head.predict', at, { units: height * width * columns });
  return { cells: reshape(y, [n, height * width, columns]), grid };
}
