import type { Op, Shape } from '../graph/spec.js';
import { DT, type GraphDef } from './graphDef.js';
import { intScalar, op2, reshapeTo, sliceOf, T, type Rule } from './emission.js';

/** Ops of two-stage detectors: crops of feature maps, rows of boxes, non-maximum suppression. */

/** Converts windows from pixels to TensorFlow's coordinates, in which 1 is H − 1 or W − 1 pixels. */
function windowShares(def: GraphDef, windows: string, [, h, w]: Shape): string {
  const [rows, columns] = [1 / Math.max(h! - 1, 1), 1 / Math.max(w! - 1, 1)];
  const tensor = { dtype: 'float32', shape: [4], values: [rows, columns, rows, columns] } as const;
  return op2(def, 'Mul', windows, def.add('Const', [], { dtype: { type: DT.float32 }, value: { tensor } }));
}

/** The boxes; those that are not finite become empty, so that the run continues and the loss shows the fault. */
export const finiteBoxes = (def: GraphDef, boxes: string): string =>
  def.add('SelectV2', [def.add('IsFinite', [boxes], T), boxes, def.float(0)], T);

/** TensorFlow's op takes one image at a time and fails on boxes that are not finite. */
const nonMaxSuppression: Rule<'nonMaxSuppression'> = (node, { def, inputs: [given, scores] }) => {
  const [n, p] = node.inputs[0]!.shape as [number, number];
  const boxes = finiteBoxes(def, given!);
  const { threshold, limit } = node.attrs;
  const count = intScalar(def, limit);
  const lowest = def.float(-Infinity);
  const kept = Array.from({ length: n }, (_, i) => {
    const own = reshapeTo(def, sliceOf(def, boxes, [i, 0, 0], [1, p, 4]), [p, 4]);
    const ranked = reshapeTo(def, sliceOf(def, scores!, [i, 0], [1, p]), [p]);
    const attrs = { ...T, T_threshold: { type: DT.float32 }, pad_to_max_output_size: { bool: true } };
    return def.add('NonMaxSuppressionV4', [own, ranked, count, def.float(threshold), lowest], attrs);
  });
  const pack = (output: number): string =>
    def.add(
      'Pack',
      kept.map((name) => `${name}:${output}`),
      { T: { type: DT.int32 }, N: { int: n }, axis: { int: 0 } },
    );
  return [pack(0), pack(1)];
};

export const tfBoxes = {
  cropAndResize: (node, { def, inputs: [images, windows, index] }) => {
    const shares = windowShares(def, windows!, node.inputs[0]!.shape);
    const attrs = { ...T, method: { string: 'bilinear' }, extrapolation_value: { float: 0 } };
    return [def.add('CropAndResize', [images!, shares, index!, def.ints(node.attrs.size)], attrs)];
  },
  cropAndResizeGrad: ({ attrs: { inputShape } }, { def, inputs: [dy, windows, index] }) => [
    def.add('CropAndResizeGradImage', [dy!, windowShares(def, windows!, inputShape), index!, def.ints(inputShape)], {
      ...T,
      method: { string: 'bilinear' },
    }),
  ],
  gather: (node, { def, inputs: [x, indices] }) => {
    const axis = intScalar(def, 1);
    const types = {
      Tparams: { type: DT[node.inputs[0]!.dtype] },
      Tindices: { type: DT.int32 },
      Taxis: { type: DT.int32 },
    };
    return [def.add('GatherV2', [x!, indices!, axis], { ...types, batch_dims: { int: 1 } })];
  },
  nonMaxSuppression,
} satisfies { [K in Op]?: Rule<K> };
