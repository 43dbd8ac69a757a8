import { defineDetector } from '../../defineDetector.js';
import { yoloV1Criterion } from './criterion.js';
import { yoloV1Decoder } from './decode.js';
import { yoloV1Boxes } from './decodeInGraph.js';
import { yoloV1Network } from './network.js';
import { options } from './options.js';

/** YOLO: each cell of a grid names one class and predicts some boxes; of these the one that overlaps the object best
 *  learns it. Redmon et al. 2016 (arXiv:1506.02640). */
export const yolov1 = defineDetector({
  name: 'yolov1',
  description:
    'YOLO, a grid of cells of 64 pixels (7×7 at 448), each of which predicts one class and some boxes, without anchors (Redmon et al. 2016, arXiv:1506.02640). If several objects have their centre in one cell, it learns the first.',
  options,
  defaults: { size: [448, 448] },
  oneSize: 'has a grid for one size',
  idle: () => [
    ['train.hardNegatives', 'model.head: yolov1', 'model.head: ssdlite'],
    ['train.focal', 'model.head: yolov1', 'model.head: ssdlite'],
  ],
  create(asked) {
    const { grid } = yoloV1Network(asked, { batch: 1, size: asked.size, trainBatchNorm: () => false });
    const { loss, ...criterion } = yoloV1Criterion(grid, asked);
    return {
      background: false,
      activation: 'none',
      build(build) {
        const { image, cells } = yoloV1Network(asked, build);
        return { image, outputs: { cells }, loss: (how) => loss(cells, how) };
      },
      ...criterion,
      decoding: {
        outputs: {
          cells: `[1, ${grid.height} · ${grid.width}, ${asked.boxesPerCell} · 5 + K]: row after row of a grid of ${grid.height} rows and ${grid.width} columns; of each cell the boxes (x, y, √width, √height, confidence), then the probabilities of the classes`,
        },
        scores: "the box's confidence times the cell's probability, both limited to 0…1",
        boxes:
          'centre = ((column + x) / columns · input width, (row + y) / rows · input height); width = √width² · input width, height = √height² · input height; then limited to the input',
        grid,
        candidates: `of each class, the ${asked.candidates} best above the least score`,
        suppresses: true,
      },
      decode: yoloV1Decoder(grid, asked),
      decodeInGraph: ({ cells }) => yoloV1Boxes(cells!, grid, asked),
    };
  },
});
