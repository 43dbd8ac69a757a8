import * as b from '../../../../graph/builder.js';
import type { Shape, Value } from '../../../../graph/spec.js';
import type { PyramidLevel } from '../../../../models/necks/pyramid.js';

/** Side of the grid of bins over a box. */
const BINS = 7;
/** Samples of a bin along each side; their mean is the bin's value. */
const SAMPLES = 2;
/** A box of this side, pixels, belongs to stride 16; of half of it to stride 8, and so on. Lin et al. 2017 (arXiv:1612.03144), eq. 1. */
const CANONICAL_SIDE = 224;
const CANONICAL_STRIDE = 16;
/** torchvision adds it to the logarithm before it rounds down. */
const LEVEL_EPSILON = 1e-6;
/** Cells that continue a map's last row and column, for samples beyond the centre of the last pixel. */
const MARGIN = 2;

/** x with its last row (axis 1) or column (axis 2) repeated. */
function continued(x: Value, axis: 1 | 2): Value {
  const begin = x.shape.map((n, i) => (i === axis ? n - 1 : 0));
  const edge = b.slice(x, begin, x.shape.map((n, i) => (i === axis ? 1 : n))); // prettier-ignore
  return b.concat([x, ...Array.from({ length: MARGIN }, () => edge)], axis);
}

/** All levels one below the other in one image, so that one op samples every box from its own level. */
function atlas(levels: readonly PyramidLevel[]): { readonly image: Value; readonly tops: readonly number[] } {
  const width = Math.max(...levels.map(({ map }) => map.shape[2]!)) + MARGIN;
  const tops: number[] = [];
  let rows = 0;
  const parts = levels.map(({ map }) => {
    tops.push(rows);
    rows += map.shape[1]! + MARGIN;
    const whole = continued(continued(map, 2), 1);
    return b.pad(whole, [[0, 0], [0, 0], [0, width - whole.shape[2]!], [0, 0]]); // prettier-ignore
  });
  return { image: b.concat(parts, 1), tops };
}

/** For each box, the entry of its level in `values` (one per level): a step function of the box's size. sides [R,1] → [R,1]. */
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

/** Share of the samples of each bin that lie before the end of the map. first, step, end [R,1] → [R,BINS]. */
function inside(first: Value, step: Value, end: Value): Value {
  const { graph } = first.node;
  const count = BINS * SAMPLES;
  const at = b.add(first, b.mul(step, b.constant(graph, Array.from({ length: count }, (_, i) => i), [1, count]))); // prettier-ignore
  const valid = b.sub(b.scalar(graph, 1), b.cast(b.greater(at, end), 'float32'));
  return b.mul(b.sum(b.reshape(valid, [first.shape[0]!, BINS, SAMPLES]), [2]), 1 / SAMPLES);
}

/** Features of each box on a grid of 7 × 7, from the level that fits its size: torchvision's MultiScaleRoIAlign with sampling_ratio 2.
 *  He et al. 2017 (arXiv:1703.06870), section 3. boxes [R,4] Xyxy, pixels of the input and inside it; imageIndex int32 [R];
 *  levels finest first, each stride twice the one before → [R,7,7,C]. The boxes get no gradient.
 *  One CropAndResize reads the samples: the maps' last cells are continued, where RoIAlign clamps, and what lies beyond the map counts 0, as there. */
export function roiAlign(levels: readonly PyramidLevel[], boxes: Value, imageIndex: Value): Value {
  const rows = boxes.shape[0]!;
  const [x1, y1, x2, y2] = [0, 1, 2, 3].map((i) => b.slice(boxes, [0, i], [rows, 1])) as [Value, Value, Value, Value];
  const sides = b.sqrt(b.mul(b.sub(x2, x1), b.sub(y2, y1)));
  const scale = byLevel(sides, levels, levels.map(({ stride }) => 1 / stride)); // prettier-ignore
  const { image, tops } = atlas(levels);
  const top = byLevel(sides, levels, tops);
  const count = BINS * SAMPLES;
  /** First sample, distance between samples and mask along one axis. */
  const axis = (low: Value, high: Value, lengths: readonly number[]): { first: Value; last: Value; mask: Value } => {
    const step = b.mul(b.maximum(b.mul(b.sub(high, low), scale), 1), 1 / count);
    const first = b.add(b.mul(low, scale), b.mul(step, 0.5));
    const mask = inside(first, step, byLevel(sides, levels, lengths));
    return { first, last: b.add(first, b.mul(step, count - 1)), mask };
  };
  const y = axis(y1, y2, levels.map(({ map }) => map.shape[1]!)); // prettier-ignore
  const x = axis(x1, x2, levels.map(({ map }) => map.shape[2]!)); // prettier-ignore
  const windows = b.concat([b.add(y.first, top), x.first, b.add(y.last, top), x.last], 1);
  const samples = b.cropAndResize(image, windows, imageIndex, [count, count]);
  const bins = b.averagePool(samples, { kernel: [SAMPLES, SAMPLES], stride: SAMPLES });
  const mask = b.mul(b.reshape(y.mask, [rows, BINS, 1, 1]), b.reshape(x.mask, [rows, 1, BINS, 1]));
  return b.mul(bins, mask);
}
