import type { Sample } from '../../../data/sample.js';
import { clipBoxes, cxcywh, cxcywhToXyxy, xyxyToCxcywh } from '../../../geometry/box.js';
import * as b from '../../../graph/builder.js';
import type { Value } from '../../../graph/spec.js';
import { buildTrunk, type Build } from '../../../models/detector.js';
import { yoloV1Head } from '../../../models/heads/yolov1.js';
import { selectPerClass } from '../nms.js';
import { rowWeights } from '../../rowWeights.js';
import type { Losses, LossOptions, Targets } from '../../task.js';
import type { Detector, DetectorOptions } from '../detector.js';

export interface YoloV1Options extends DetectorOptions {
  readonly head: 'yolov1';
  /** Boxes of each cell: the paper's B. */
  readonly boxesPerCell: number;
  readonly channels: number;
  readonly hidden: number;
}

/** The paper's weights of the coordinates and of the confidence of boxes without an object. */
const COORDINATES = 5;
const NO_OBJECT = 0.5;
/** Labels: 0 is no object, k + 1 the class k, and this a cell that is not to be learnt. */
const UNLEARNT = -1;
/** Against a division by nothing, as a share of the input's area. */
const EPSILON = 1e-9;

/** YOLO: each cell of a grid names one class and predicts some boxes; of these the one that overlaps the object best learns it. Redmon et al. 2016
 *  (arXiv:1506.02640). Of several objects with their centre in one cell the first is learnt, as in the authors' code. */
export function yoloV1(options: YoloV1Options): Detector {
  const { size, numClasses, boxesPerCell, classWeights } = options;
  const network = (build: Build): { image: Value; cells: Value; height: number; width: number } => {
    const { image, taps, at } = buildTrunk(options.backbone, build);
    return { image, ...yoloV1Head(taps.c5, at, { ...options, boxes: boxesPerCell }) };
  };
  const grid = network({ batch: 1, size, trainBatchNorm: () => false });
  const count = grid.height * grid.width;
  const columns = boxesPerCell * 5 + numClasses;

  /** Column k of each box: [N, cells, B]. */
  const columnOf = (cells: Value, k: number): Value => {
    const shape = [cells.shape[0]!, count, boxesPerCell];
    const boxes = b.slice(cells, [0, 0, 0], [shape[0]!, count, boxesPerCell * 5]);
    return b.reshape(b.slice(b.reshape(boxes, [...shape, 5]), [0, 0, 0, k], [...shape, 1]), shape);
  };

  /** IoU of predictions [N, cells, B] and truth [N, cells, 1] of the same cells; sizes stand as square roots. */
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
    // The best IoU; where no box overlaps, the smallest distance.
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

  function encode({ boxes, classes, ignore }: Sample): Targets {
    const labels = new Int32Array(count);
    const cells = new Float32Array(count * 4);
    const [height, width] = size;
    const centred = xyxyToCxcywh(boxes);
    for (const [i, classIndex] of classes.entries()) {
      const [cx, cy, w, h] = centred.subarray(i * 4, i * 4 + 4) as unknown as [number, number, number, number];
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
    background: false,
    build: (build) => {
      const { image, cells } = network(build);
      return { image, outputs: { cells }, loss: (asked) => loss(cells, asked) };
    },
    encode,
    blank: () => ({ labels: new Int32Array(count).fill(UNLEARNT), cells: new Float32Array(count * 4) }),
    decode: ({ cells }) => {
      const [height, width] = size;
      const rows = new Float32Array(count * boxesPerCell * 4);
      for (let i = 0; i < count * boxesPerCell; i++) {
        const cell = Math.floor(i / boxesPerCell);
        const at = cell * columns + (i % boxesPerCell) * 5;
        rows[i * 4] = (((cell % grid.width) + cells![at]!) / grid.width) * width;
        rows[i * 4 + 1] = ((Math.floor(cell / grid.width) + cells![at + 1]!) / grid.height) * height;
        rows[i * 4 + 2] = cells![at + 2]! ** 2 * width;
        rows[i * 4 + 3] = cells![at + 3]! ** 2 * height;
      }
      /** Confidence × the class's probability, both at most 1. */
      const scoresOf = (classIndex: number): Float32Array =>
        Float32Array.from({ length: count * boxesPerCell }, (_, i) => {
          const cell = Math.floor(i / boxesPerCell) * columns;
          const confidence = cells![cell + (i % boxesPerCell) * 5 + 4]!;
          const probability = cells![cell + boxesPerCell * 5 + classIndex]!;
          const score = Math.min(Math.max(confidence, 0), 1) * Math.min(Math.max(probability, 0), 1);
          return score > options.scoreThreshold ? score : 0;
        });
      return selectPerClass(clipBoxes(cxcywhToXyxy(cxcywh(rows)), size), scoresOf, options);
    },
  };
}
