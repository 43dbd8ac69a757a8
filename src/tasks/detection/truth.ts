import type { Sample } from '../../data/sample.js';
import { FinetuneError } from '../../errors.js';
import * as b from '../../graph/builder.js';
import type { Graph, Value } from '../../graph/spec.js';
import type { Targets } from '../network.js';
import { UNLEARNT } from './matcher.js';

/** The objects of a batch of images, for heads that assign objects to predictions inside the graph. */
export interface Truth {
  /** [N,G,4] Xyxy, in pixels of the input; zeros in padding rows. */
  readonly boxes: Value;
  /** int32 [N,G]: k + 1 for class k, 0 for padding rows, −1 for an object that must not be learnt. */
  readonly labels: Value;
}

/** Adds the inputs for the objects of `batch` images, `most` rows for each. */
export const truthInputs = (graph: Graph, batch: number, most: number): Truth => ({
  boxes: b.input(graph, 'truth', [batch, most, 4]),
  labels: b.input(graph, 'truthLabels', [batch, most], 'int32'),
});

/** The feeds of those inputs for one image. Throws E_BOX_LIMIT if the image has more than `most` objects. */
export function encodeTruth({ boxes, classes, ignore, file }: Sample, most: number): Targets {
  if (classes.length > most) {
    const message = `the image has ${classes.length} objects; this head learns from at most ${most}`;
    throw new FinetuneError({ code: 'E_BOX_LIMIT', message, where: { file }, fix: 'cut the image into parts' });
  }
  const truth = new Float32Array(most * 4);
  truth.set(boxes);
  const truthLabels = new Int32Array(most);
  truthLabels.set(classes.map((classIndex, i) => (ignore[i] ? UNLEARNT : classIndex + 1)));
  return { truth, truthLabels };
}

/** The feeds for a place in the batch that holds no image. */
export const blankTruth = (most: number): Targets => ({
  truth: new Float32Array(most * 4),
  truthLabels: new Int32Array(most),
});

/** Least area in a denominator, in pixels²: it keeps the IoU of boxes without area from becoming NaN. */
const LEAST_AREA = 1e-9;

/** IoU of each box [N,T,4] with each object [N,G,4] → [N,T,G]. */
export function pairwiseIou(boxes: Value, objects: Value): Value {
  const [n, t] = boxes.shape as [number, number];
  const g = objects.shape[1]!;
  const [x1, y1, x2, y2] = [0, 1, 2, 3].map((i) => b.slice(boxes, [0, 0, i], [n, t, 1])) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const [u1, v1, u2, v2] = [0, 1, 2, 3].map((i) => b.reshape(b.slice(objects, [0, 0, i], [n, g, 1]), [n, 1, g])) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const width = b.maximum(b.sub(b.minimum(x2, u2), b.maximum(x1, u1)), 0);
  const height = b.maximum(b.sub(b.minimum(y2, v2), b.maximum(y1, v1)), 0);
  const inner = b.mul(width, height);
  const areas = b.add(b.mul(b.sub(x2, x1), b.sub(y2, y1)), b.mul(b.sub(u2, u1), b.sub(v2, v1)));
  return b.div(inner, b.maximum(b.sub(areas, inner), LEAST_AREA));
}
