import { clipBoxes, cxcywh, cxcywhToXyxy } from '../../../../geometry/box.js';
import type { DecodeOptions, Detector } from '../../detector.js';
import { selectPerClass } from '../../nms.js';
import type { YoloV1Options } from './options.js';

/** Rows and columns of cells over the input. */
export interface CellGrid {
  readonly height: number;
  readonly width: number;
}

/** Columns of a cell: x, y, √w, √h and confidence of each box, then the classes. */
export const cellColumns = ({ boxesPerCell, numClasses }: YoloV1DecodeOptions): number => boxesPerCell * 5 + numClasses;

type YoloV1DecodeOptions = DecodeOptions & Pick<YoloV1Options, 'boxesPerCell'>;

/** Turns `cells` of one image into detections: every box of a cell with every class of it. */
export function yoloV1Decoder(grid: CellGrid, options: YoloV1DecodeOptions): Detector['decode'] {
  const { boxesPerCell, scoreThreshold, size } = options;
  const [height, width] = size;
  const columns = cellColumns(options);
  const count = grid.height * grid.width * boxesPerCell;
  /** First column of box i. */
  const placeOf = (i: number): number => Math.floor(i / boxesPerCell) * columns + (i % boxesPerCell) * 5;

  /** Confidence times the probability of the class, both limited to 0…1; 0 where that does not pass the threshold. */
  const scoresOf = (cells: Float32Array, classIndex: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => {
      const confidence = cells[placeOf(i) + 4]!;
      const probability = cells[Math.floor(i / boxesPerCell) * columns + boxesPerCell * 5 + classIndex]!;
      const score = Math.min(Math.max(confidence, 0), 1) * Math.min(Math.max(probability, 0), 1);
      return score > scoreThreshold ? score : 0;
    });

  return (outputs) => {
    const cells = outputs.cells!;
    const rows = new Float32Array(count * 4);
    for (let i = 0; i < count; i++) {
      const cell = Math.floor(i / boxesPerCell);
      const at = placeOf(i);
      rows[i * 4] = (((cell % grid.width) + cells[at]!) / grid.width) * width;
      rows[i * 4 + 1] = ((Math.floor(cell / grid.width) + cells[at + 1]!) / grid.height) * height;
      rows[i * 4 + 2] = cells[at + 2]! ** 2 * width;
      rows[i * 4 + 3] = cells[at + 3]! ** 2 * height;
    }
    const boxes = clipBoxes(cxcywhToXyxy(cxcywh(rows)), size);
    return selectPerClass(boxes, (classIndex) => scoresOf(cells, classIndex), options);
  };
}
