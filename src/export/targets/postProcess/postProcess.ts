import type { ClassIndex } from '../../../data/sample.js';
import type { Results } from '../../../engine/engine.js';
import { rowOf, xyxy } from '../../../geometry/box.js';
import * as b from '../../../graph/builder.js';
import type { Value } from '../../../graph/spec.js';
import type { Found } from '../../../tasks/detection/detector.js';
import { suppressPerClass, type Candidate } from '../../../tasks/detection/nms.js';
import type { TfliteModel } from '../../../tflite/model.js';
import { postProcessedShapes, withPostProcess, type PostProcess } from '../../../tflite/postProcess.js';
import type { Net } from '../../format.js';
import type { Checkpoint } from '../../source.js';
import { boxesOf, detectorOf, whyNoDetector } from '../detector.js';
import { scoreBoxes } from '../evaluators.js';
import type { Adapted, Finish, Obstacle } from '../target.js';
import { finishedTflite } from './format.js';

/** Detectors whose TFLite file chooses the objects by itself, with the operator TFLite_Detection_PostProcess. It suppresses boxes of
 *  each class as our decoder does, so that both find the same. */

const [BOXES, SCORES] = ['boxes', 'scores'] as const;
/** Least side of a box, as a share of the image, so that it has a logarithm. In float32 a box of this size has no area. */
const LEAST_SIDE = 1e-9;

/** Why a model's objects cannot be chosen by the operator. */
export function whyNotPostProcess(checkpoint: Checkpoint, application: string): Obstacle | undefined {
  const { model, description } = checkpoint;
  const obstacle = whyNoDetector(checkpoint, application);
  if (obstacle || description.task !== 'detection') return obstacle;
  const { nms } = description.selection;
  if (nms === 'hard' || !model.task.decoding.suppresses) return undefined;
  return {
    message: `the model lowers scores of boxes that overlap (nms: ${nms}), and the operator that ${application} reads drops such boxes`,
    fix: 'train or evaluate it with nms: hard, and export it again',
  };
}

/** How the operator chooses, where the net returns boxes and scores as `encoded` does. */
function settingsOf(checkpoint: Checkpoint): PostProcess {
  const { selection, categories } = detectorOf(checkpoint);
  return {
    boxes: BOXES,
    scores: SCORES,
    classes: categories.length,
    scoreThreshold: selection.scoreThreshold,
    // A detector that suppresses nothing drops no box, however much it overlaps another.
    iouThreshold: checkpoint.model.task.decoding.suppresses ? selection.nmsThreshold : 1,
    maxDetections: selection.maxDetections,
  };
}

/** The net with boxes as the operator takes them. */
function encoded(checkpoint: Checkpoint, net: Net): Net {
  const [height, width] = detectorOf(checkpoint).size;
  const { boxes, scores } = boxesOf(checkpoint, net);
  const [, rows] = boxes.shape as [number, number];
  const { graph } = boxes.node;
  const shares = b.mul(boxes, b.constant(graph, [1 / width, 1 / height, 1 / width, 1 / height], [4]));
  const column = (i: number): Value => b.slice(shares, [0, 0, i], [1, rows, 1]);
  const [left, top, right, bottom] = [column(0), column(1), column(2), column(3)];
  const centre = (low: Value, high: Value): Value => b.mul(b.add(low, high), 0.5);
  const size = (low: Value, high: Value): Value => b.log(b.maximum(b.sub(high, low), LEAST_SIDE));
  const parts = [centre(top, bottom), centre(left, right), size(top, bottom), size(left, right)];
  return { ...net, program: { outputs: { [BOXES]: b.concat(parts, 2), [SCORES]: scores } } };
}

/** What the operator returns, in JavaScript. */
function finishOf(settings: PostProcess): Finish {
  const { classes, scoreThreshold, iouThreshold, maxDetections } = settings;
  const outputs = postProcessedShapes(maxDetections);
  return {
    outputs,
    run(results) {
      const [boxes, scores] = [results[BOXES]!, results[SCORES]!];
      const candidates: Candidate[] = [];
      for (const [i, score] of scores.entries()) {
        if (score < scoreThreshold) continue;
        const row = Math.floor(i / classes);
        const [y, x, h, w] = rowOf(boxes, row);
        const [halfH, halfW] = [Math.exp(h) / 2, Math.exp(w) / 2];
        const box = xyxy([x - halfW, y - halfH, x + halfW, y + halfH]);
        candidates.push({ box, score, classIndex: (i % classes) as ClassIndex });
      }
      const found = suppressPerClass(candidates, {
        nms: 'hard',
        nmsThreshold: iouThreshold,
        scoreThreshold,
        maxDetections,
      });
      return fill(found, maxDetections);
    },
  };
}

function fill({ boxes, scores, classes }: Found, most: number): Results {
  const filled = { boxes: new Float32Array(most * 4), classes: new Float32Array(most), scores: new Float32Array(most) };
  for (const [i, score] of scores.entries()) {
    const [left, top, right, bottom] = rowOf(boxes, i);
    filled.boxes.set([top, left, bottom, right], i * 4);
    filled.scores[i] = score;
    filled.classes[i] = classes[i]!;
  }
  return { ...filled, count: Float32Array.of(scores.length) };
}

/** Reads the four outputs, as every program does: `count` rows of boxes as shares of the image. */
function decodePostProcessed(results: Results, [height, width]: readonly [number, number]): Found {
  const { boxes, classes, scores, count } = results as Record<'boxes' | 'classes' | 'scores' | 'count', Float32Array>;
  const rows = Array.from({ length: count[0]! }, (_, i) => i);
  return {
    boxes: xyxy(
      rows.flatMap((i) => {
        const [top, left, bottom, right] = rowOf(boxes, i);
        return [left * width, top * height, right * width, bottom * height];
      }),
    ),
    scores: rows.map((i) => scores[i]!),
    classes: rows.map((i) => classes[i]! as ClassIndex),
  };
}

/** Meaning of the four outputs, for the card. */
const MEANINGS = {
  boxes: '[1, D, 4]: top, left, bottom and right of each box as shares of the image, best first',
  classes: '[1, D]: the index of the class of each box, from 0',
  scores: '[1, D]: the score of each box, 0…1',
  count: '[1]: how many of the D rows are objects',
} as const;

/** How the card says that the file has chosen already. */
const describeChoice = ({ scoreThreshold, iouThreshold, maxDetections }: PostProcess) => ({
  scores: 'the output itself',
  boxes: 'the output itself',
  TFLite_Detection_PostProcess: {
    nms_score_threshold: scoreThreshold,
    nms_iou_threshold: iouThreshold,
    max_detections: maxDetections,
  },
});

/** How a file is written with the operator at its end, and fed. */
export interface PostProcessed {
  readonly write: (model: TfliteModel) => Uint8Array;
  readonly input: 'float32' | 'uint8';
  readonly feed: Adapted['feed'];
  readonly card?: Pick<Adapted['card'], 'input' | 'note'>;
}

/** The model with the four outputs of the operator. */
export function adaptPostProcessed(
  checkpoint: Checkpoint,
  net: Net,
  { write, input, feed, card }: PostProcessed,
): Adapted {
  const settings = settingsOf(checkpoint);
  const description = detectorOf(checkpoint);
  const finish = finishOf(settings);
  return {
    net: encoded(checkpoint, net),
    format: finishedTflite({
      of: [settings.boxes, settings.scores],
      finish: (model) => write(withPostProcess(model, settings)),
      returns: finish.outputs,
      input,
    }),
    feed,
    finish,
    evaluator: scoreBoxes((results) => decodePostProcessed(results, description.size), description),
    card: { ...card, outputs: MEANINGS, decode: describeChoice(settings) },
  };
}
