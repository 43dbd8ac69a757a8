import type { Sample } from '../../../../data/sample.js';
import { rowOf, xyxyToCxcywh } from '../../../../geometry/box.js';
import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import type { Losses, LossOptions, Targets } from '../../../network.js';
import { rowWeights } from '../../../rowWeights.js';
import type { Criterion } from '../../detector.js';
import { UNLEARNT } from '../../matcher.js';
import type { CellGrid } from './decode.js';
import type { YoloV1Options } from './options.js';

/** The paper's weights of the coordinates and of the confidence of boxes without an object. */
const COORDINATES = 5;
const NO_OBJECT = 0.5;
/** Share of the input's area that is added to a union, to avoid a division by zero. */
const EPSILON = 1e-9;

/** Squared errors of the box that overlaps the object of its cell best, of the confidences, and of the classes of cells
 *  with an object. Redmon et al. 2016 (arXiv:1506.02640), eq. 3. */
export function yoloV1Criterion(grid: CellGrid, options: YoloV1Options): Criterion<Value> {
  const { size, numClasses, boxesPerCell, classWeights } = options;
  const count = grid.height * grid.width;

  /** Column k of each box: [N, cells, B]. */
  const columnOf = (cells: Value, k: number): Value => {
    const shape = [cells.shape[0]!, count, boxesPerCell];
    const boxes = b.slice(cells, [0, 0, 0], [shape[0]!, count, boxesPerCell * 5]);
    return b.reshape(b.slice(b.reshape(boxes, [...shape, 5]), [0, 0, 0, k], [...shape, 1]), shape);
  };

  /** IoU of predictions [N, cells, B] with the truth [N, cells, 1] of the same cells; sizes are given as square
   *  roots. */
  function overlapOf(predicted: readonly Value[], truth: readonly Value[]): Value {
    const range = (centre: Value, root: Value, cells: number): readonly [low: Value, high: Value] => {
      const [middle, half] = [b.mul(centre, 1 / cells), b.mul(b.square(root), 0.5)];
      return [b.sub(middle, half), b.add(middle, half)];
    };
    const common = (k: number, cells: number): Value => {
      const [p, t] = [range(predicted[k]!, predicted[k + 2]!, cells), range(truth[k]!, truth[k + 2]!, cells)];
      return b.relu(b.sub(b.minimum(p[1], t[1]), b.maximum(p[0], t[0])));
    };
    const area = (box: readonly Value[]): Value => b.square(b.mul(box[2]!, box[3]!));
    const inner = b.mul(common(0, grid.width), common(1, grid.height));
    return b.div(inner, b.add(b.sub(b.add(area(predicted), area(truth)), inner), EPSILON));
  }

  function loss(cells: Value, { training = false }: LossOptions = {}): Losses {
    const { graph } = cells.node;
    const [batch] = cells.shape as [number];
    const labels = b.input(graph, 'labels', [batch, count], 'int32');
    const targets = b.input(graph, 'cells', [batch, count, 4]); // x, y in the cell; √w, √h of the input
    const object = b.cast(b.greater(labels, 0), 'float32');
    const learnt = b.cast(b.greaterEqual(labels, 0), 'float32');
    const predicted = [0, 1, 2, 3].map((k) => columnOf(cells, k));
    const truth = [0, 1, 2, 3].map((k) => b.slice(targets, [0, 0, k], [batch, count, 1]));
    const errors = predicted.map((value, k) => b.square(b.sub(value, truth[k]!)));
    const distance = errors.reduce((sum, error) => b.add(sum, error)); // [N, cells, B]
    const overlap = b.stopGradient(overlapOf(predicted, truth));
    // The box with the largest IoU is responsible; where no box overlaps, the one at the smallest distance.
    const apart = b.cast(b.equal(overlap, 0), 'float32');
    const [, best] = b.topK(b.sub(overlap, b.mul(apart, b.stopGradient(distance))), 1) as [Value, Value];
    const responsible = b.oneHot(b.reshape(best, [batch, count]), boxesPerCell);
    const chosen = b.mul(responsible, b.reshape(object, [batch, count, 1]));
    const others = b.sub(b.reshape(learnt, [batch, count, 1]), chosen);

    const confidence = columnOf(cells, 4);
    const found = b.mul(chosen, b.square(b.sub(confidence, overlap)));
    const silent = b.mul(b.mul(others, b.square(confidence)), NO_OBJECT);
    const classes = b.slice(cells, [0, 0, boxesPerCell * 5], [batch, count, numClasses]);
    const classIndices = b.sub(labels, 1);
    const wrong = b.sum(b.square(b.sub(classes, b.oneHot(classIndices, numClasses))), [2]);
    const perImage = (value: Value): Value => b.mul(b.sum(value), 1 / batch);
    const parts = {
      box: b.mul(perImage(b.mul(chosen, distance)), COORDINATES),
      confidence: perImage(b.add(found, silent)),
      class: perImage(
        b.mul(wrong, training && classWeights ? b.mul(object, rowWeights(classIndices, classWeights)) : object),
      ),
    };
    return { total: b.add(b.add(parts.box, parts.confidence), parts.class), parts };
  }

  /** If several objects have their centre in one cell, it learns the first, as in the authors' code. */
  function encode({ boxes, classes, ignore }: Sample): Targets {
    const labels = new Int32Array(count);
    const cells = new Float32Array(count * 4);
    const [height, width] = size;
    const centred = xyxyToCxcywh(boxes);
    for (const [i, classIndex] of classes.entries()) {
      const [cx, cy, w, h] = rowOf(centred, i);
      const [x, y] = [(cx / width) * grid.width, (cy / height) * grid.height];
      const [column, row] = [Math.min(Math.floor(x), grid.width - 1), Math.min(Math.floor(y), grid.height - 1)];
      const cell = row * grid.width + column;
      if (labels[cell]! > 0) continue;
      labels[cell] = ignore[i] ? UNLEARNT : classIndex + 1;
      if (!ignore[i]) cells.set([x - column, y - row, Math.sqrt(w / width), Math.sqrt(h / height)], cell * 4);
    }
    return { labels, cells };
  }

  return {
    loss,
    encode,
    blank: () => ({ labels: new Int32Array(count).fill(UNLEARNT), cells: new Float32Array(count * 4) }),
  };
}
