import type { ClassIndex } from '../../../data/sample.js';
import { meanColour } from '../../../data/image/meanColour.js';
import { openGraphModel } from '../../../engine/tfjs/graphModel.js';
import { invariant } from '../../../errors.js';
import * as b from '../../../graph/builder.js';
import type { Value } from '../../../graph/spec.js';
import { PHOTO_INPUT, takeAnySize } from '../../../tensorflow/tfjs/anySize.js';
import type { Format } from '../../format.js';
import { tfjsWith } from '../../formats/tfjs/tfjs.js';
import { boxesOf, detectorOf, whyNoDetector } from '../detector.js';
import { scoreBoxes, scoreFrom } from '../evaluators.js';
import type { Adapted, Target } from '../target.js';
import { MOST_CLASSES, placeClasses, type ClassColumns } from './classes.js';
import { decodeCocoSsd } from './decode.js';

const [SCORES, BOXES] = ['scores', 'boxes'];
/** `minScore` that `detect` has by default. */
const MIN_SCORE = 0.5;

/** The loss that its suppression across classes may cost. */
const TOLERANCE = 0.02;

/** The layout of the models of @tensorflow-models/coco-ssd, whose `load` takes a `modelUrl`: photos of any size go in, and each
 *  row has a score for every category of COCO and a box. */
export const cocoSsd: Target = {
  name: 'coco-ssd',
  formats: ['tfjs'],
  whyNot(checkpoint) {
    const unfit = whyNoDetector(checkpoint, 'coco-ssd');
    if (unfit) return unfit;
    const { categories, images } = detectorOf(checkpoint);
    if (categories.length > MOST_CLASSES)
      return {
        message: `coco-ssd has names for ${MOST_CLASSES} classes, and this model has ${categories.length}`,
        fix: 'leave --for out, and run the model with tfjs-finetune/runtime',
      };
    if (images.resize === 'stretch' || images.resize === 'letterbox') return undefined;
    return {
      message: `coco-ssd gives photos at their own size, and data.resize: ${images.resize} cannot be computed inside the model`,
      fix: 'train with data.resize: stretch or letterbox, or leave --for out',
    };
  },
  adapt(checkpoint, net) {
    const description = detectorOf(checkpoint);
    const { categories, size, selection, images } = description;
    const { boxes, scores } = boxesOf(checkpoint, net);
    const columns = placeClasses(categories.map(({ name }) => name));
    const outputs = { [SCORES]: inColumns(scores, columns), [BOXES]: asShares(boxes, size) };
    const classes = classesOf(columns);
    const resize = images.resize as 'stretch' | 'letterbox';
    return {
      net: { ...net, program: { outputs } },
      format: readingPhotos({ size, resize }),
      feed: (pixels) => ({ image: pixels.map(Math.round) }),
      reference: scoreFrom(MIN_SCORE, checkpoint, description),
      tolerance: TOLERANCE,
      evaluator: scoreBoxes(
        (results) =>
          decodeCocoSsd(results[SCORES]!, results[BOXES]!, {
            classes,
            size,
            minScore: MIN_SCORE,
            most: selection.maxDetections,
          }),
        description,
      ),
      card: {
        input: { name: PHOTO_INPUT, type: 'int32', shape: [1, -1, -1, 3] },
        outputs: {
          [SCORES]: '[1, R, C]: a score for each category of COCO, by its id − 1',
          [BOXES]: '[1, R, 1, 4]: top, left, bottom and right as shares of the photo',
        },
        decode: {
          scores: 'the output itself',
          boxes: 'the output itself',
          'coco-ssd': { classNames: columns.names },
        },
        note: `coco-ssd names classes as COCO does: decode["coco-ssd"].classNames in model-card.json has the names of this model; the scores are of detections from ${MIN_SCORE} on, as its detect returns them`,
      },
    } satisfies Adapted;
  },
};

/** Scores [1,R,K] in the columns of the package, with 0 in the columns of other categories. */
function inColumns(scores: Value, { columns, columnOf }: ClassColumns): Value {
  const matrix = columnOf.flatMap((column) => Array.from({ length: columns }, (_, i) => (i === column ? 1 : 0)));
  const [, rows, classes] = scores.shape as [number, number, number];
  const spread = b.matMul(
    b.reshape(scores, [rows, classes]),
    b.constant(scores.node.graph, matrix, [classes, columns]),
  );
  return b.reshape(spread, [1, rows, columns]);
}

function classesOf({ columns, columnOf }: ClassColumns): (ClassIndex | undefined)[] {
  return Array.from({ length: columns }, (_, column) => {
    const index = columnOf.indexOf(column);
    return index < 0 ? undefined : (index as ClassIndex);
  });
}

/** Corners [1,R,4] in pixels of the input as y, x, y, x in shares of it: [1,R,1,4]. */
function asShares(boxes: Value, [height, width]: readonly [number, number]): Value {
  const [, rows] = boxes.shape as [number, number];
  const { graph } = boxes.node;
  const swapped = b.gather(
    b.reshape(b.transpose(boxes, [0, 2, 1]), [1, 4, rows]),
    b.constant(graph, [1, 0, 3, 2], [1, 4], 'int32'),
  );
  const shares = b.div(b.transpose(swapped, [0, 2, 1]), b.constant(graph, [height, width, height, width], [4]));
  return b.reshape(shares, [1, rows, 1, 4]);
}

/** The format with an input for photos. The gate feeds it with photos of the net's own size, which it leaves as they are. */
function readingPhotos(options: {
  readonly size: readonly [number, number];
  readonly resize: 'stretch' | 'letterbox';
}): Format {
  const format = tfjsWith((emitted) =>
    emitted.outputs.some(({ key }) => key === BOXES)
      ? takeAnySize(emitted, { image: 'image', boxes: BOXES, fill: meanColour, ...options })
      : emitted,
  );
  return {
    ...format,
    async open(folder, net) {
      if (!(BOXES in net.program.outputs)) return format.open(folder, net);
      const outputs = Object.entries(net.program.outputs).map(([name, { shape }]) => ({ name, shape }));
      const photo = { name: PHOTO_INPUT, shape: [1, ...options.size, 3], dtype: 'int32' } as const;
      const model = await openGraphModel(folder, { inputs: [photo], outputs });
      return {
        ...model,
        run: (program, { image }) => {
          invariant(image, 'the net reads an image');
          return model.run(program, { [PHOTO_INPUT]: Int32Array.from(image) });
        },
      };
    },
  };
}
