import * as b from '../../../../graph/builder.js';
import type { Value } from '../../../../graph/spec.js';
import { clipInGraph, type GraphBoxes } from '../../decodeInGraph.js';
import type { CellGrid } from './decode.js';
import type { YoloV1Options } from './options.js';

/** `yoloV1Decoder` in the graph, before it chooses. cells [1,cells,columns]. */
export function yoloV1Boxes(
  cells: Value,
  grid: CellGrid,
  { boxesPerCell, numClasses, size: [height, width] }: YoloV1Options,
): GraphBoxes {
  const { graph } = cells.node;
  const count = grid.height * grid.width;
  const rows = count * boxesPerCell;
  const boxes = b.reshape(b.slice(cells, [0, 0, 0], [1, count, boxesPerCell * 5]), [1, rows, 5]);
  const part = (first: number, columns: number) => b.slice(boxes, [0, 0, first], [1, rows, columns]);
  const cell = Array.from({ length: rows }, (_, i) => Math.floor(i / boxesPerCell));
  const corners = cell.flatMap((at) => [at % grid.width, Math.floor(at / grid.width)]);
  const step = b.constant(graph, [width / grid.width, height / grid.height], [2]);
  const middle = b.mul(b.add(part(0, 2), b.constant(graph, corners, [1, rows, 2])), step);
  const half = b.mul(b.square(part(2, 2)), b.constant(graph, [width / 2, height / 2], [2]));
  const within = (x: Value) => b.minimum(b.maximum(x, 0), 1);
  const probabilities = b.reshape(
    b.broadcastTo(
      b.reshape(b.slice(cells, [0, 0, boxesPerCell * 5], [1, count, numClasses]), [1, count, 1, numClasses]),
      [1, count, boxesPerCell, numClasses],
    ),
    [1, rows, numClasses],
  );
  return {
    boxes: clipInGraph(b.concat([b.sub(middle, half), b.add(middle, half)], 2), [height, width]),
    scores: b.mul(within(part(4, 1)), within(probabilities)),
  };
}
