import * as b from '../../../../graph/builder.js';
import type { Shape, Value } from '../../../../graph/spec.js';
import { ranks } from '../../../ranks.js';
import type { PyramidLevel } from '../../../../models/necks/pyramid.js';

/** Side of the grid of bins over a box. */
const BINS = 7;
/** Samples of a bin along each side; the value of a bin is their mean. */
const SAMPLES = 2;
/** A box with this side, in pixels, is read from the level of stride 16, one with half of it from stride 8, and so on.
 *  Lin et al. 2017 (arXiv:1612.03144), eq. 1. */
const CANONICAL_SIDE = 224;
const CANONICAL_STRIDE = 16;
/** torchvision adds this to the logarithm before rounding down. */
const LEVEL_EPSILON = 1e-6;
/** Number of times that the last row and column of a map are repeated, for samples beyond the centre of the last
 *  pixel. */
const MARGIN = 2;

/** x with its last row (axis 1) or column (axis 2) repeated. */
function continued(x: Value, axis: 1 | 2): Value {
  const begin = x.shape.map((n, i) => (i === axis ? n - 1 : 0));
  const size = x.shape.map((n, i) => (i === axis ? 1 : n));
  const edge = b.slice(x, begin, size);
  return b.concat([x, ...Array.from({ length: MARGIN }, () => edge)], axis);
}

/** All levels in one image, one below the other, so that one op can sample each box from its level. `tops`: the first
 *  row of each level. */
function atlas(levels: readonly PyramidLevel[]): { readonly image: Value; readonly tops: readonly number[] } {
  const width = Math.max(...levels.map(({ map }) => map.shape[2]!)) + MARGIN;
  const tops: number[] = [];
  let rows = 0;
  const parts = levels.map(({ map }) => {
    tops.push(rows);
    rows += map.shape[1]! + MARGIN;
    const whole = continued(continued(map, 2), 1);
    return b.pad(whole, [
      [0, 0],
      [0, 0],
      [0, width - whole.shape[2]!],
      [0, 0],
    ]);
  });
  return { image: b.concat(parts, 1), tops };
}

/** For each box the entry of its level in `values`, which has one for each level. The side of a box decides its level.
 *  sides [R,1] → [R,1]. */
function byLevel(sides: Value, levels: readonly PyramidLevel[], values: readonly number[]): Value {
  const shape: Shape = sides.shape;
  return levels.slice(1).reduce(
    (sum, { stride }, i) => {
      const side = (CANONICAL_SIDE * stride) / CANONICAL_STRIDE / 2 ** LEVEL_EPSILON;
      return b.add(sum, b.mul(b.cast(b.greaterEqual(sides, side), 'float32'), values[i + 1]! - values[i]!));
    },
    b.broadcastTo(b.scalar(sides.node.graph, values[0]!), shape),
  );
}

/** Share of the samples of each bin that lie inside the map. first, step, end [R,1] → [R,BINS]. */
function inside(first: Value, step: Value, end: Value): Value {
  const { graph } = first.node;
  const count = BINS * SAMPLES;
  const at = b.add(first, b.mul(step, ranks(graph, count)));
  const valid = b.sub(b.scalar(graph, 1), b.cast(b.greater(at, end), 'float32'));
  return b.mul(b.sum(b.reshape(valid, [first.shape[0]!, BINS, SAMPLES]), [2]), 1 / SAMPLES);
}

/** Features of each box on a grid of 7 × 7, from the level that fits its size: torchvision's MultiScaleRoIAlign with
 *  sampling_ratio 2. He et al. 2017 (arXiv:1703.06870), section 3. boxes [R,4] Xyxy, in pixels of the input and inside
 *  it; imageIndex int32 [R]; levels finest first, each stride twice the one before → [R,7,7,C]. The boxes get no
 *  gradient. A single CropAndResize reads all samples. Where RoIAlign clamps to the last cell, the repeated rows and
 *  columns are read; samples beyond the map count 0, as there. */
export function roiAlign(levels: readonly PyramidLevel[], boxes: Value, imageIndex: Value): Value {
  const rows = boxes.shape[0]!;
  const [x1, y1, x2, y2] = [0, 1, 2, 3].map((i) => b.slice(boxes, [0, i], [rows, 1])) as [Value, Value, Value, Value];
  const sides = b.sqrt(b.mul(b.sub(x2, x1), b.sub(y2, y1)));
  const scales = levels.map(({ stride }) => 1 / stride);
  const scale = byLevel(sides, levels, scales);
  const { image, tops } = atlas(levels);
  const top = byLevel(sides, levels, tops);
  const count = BINS * SAMPLES;
  /** First sample, last sample and mask along one axis. */
  const axis = (low: Value, high: Value, lengths: readonly number[]): { first: Value; last: Value; mask: Value } => {
    const step = b.mul(b.maximum(b.mul(b.sub(high, low), scale), 1), 1 / count);
    const first = b.add(b.mul(low, scale), b.mul(step, 0.5));
    const mask = inside(first, step, byLevel(sides, levels, lengths));
    return { first, last: b.add(first, b.mul(step, count - 1)), mask };
  };
  const heights = levels.map(({ map }) => map.shape[1]!);
  const widths = levels.map(({ map }) => map.shape[2]!);
  const [y, x] = [axis(y1, y2, heights), axis(x1, x2, widths)];
  const windows = b.concat([b.add(y.first, top), x.first, b.add(y.last, top), x.last], 1);
  const samples = b.cropAndResize(image, windows, imageIndex, [count, count]);
  const bins = b.averagePool(samples, { kernel: [SAMPLES, SAMPLES], stride: SAMPLES });
  const mask = b.mul(b.reshape(y.mask, [rows, BINS, 1, 1]), b.reshape(x.mask, [rows, 1, BINS, 1]));
  return b.mul(bins, mask);
}
