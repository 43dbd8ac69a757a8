import { bestThreshold } from './matches.js';
import { ofKind, type Dataset, type Sample, type TextAnnotation } from '../data/sample.js';
import { bounds } from '../geometry/polygon.js';
import { calibrationOf } from '../tasks/calibration.js';
import type { Evaluator } from '../tasks/evaluator.js';
import type { Example, Section } from '../tasks/section.js';
import type { ScoredImages } from '../tasks/task.js';
import type { Origin } from '../tasks/network.js';
import { findText, mapsOf, type TextDetection } from '../tasks/text/findText.js';
import type { TextThresholds } from '../tasks/text/textBoxes.js';
import { scoreDetEval } from './detEval.js';
import { judgeWords, scoreIou, type IcdarResult, type IcdarScore, type ImageScore } from './hmean.js';
import type { TextImage } from './icdarFiles.js';
import { keepMaps, sweepThresholds, type KeptMaps } from './textSweep.js';

export interface TextEvaluation {
  readonly evaluateSize: readonly [number, number];
  readonly thresholds: TextThresholds;
  readonly protocol: 'iou' | 'deteval';
}

/** What was found in an image. */
interface Found {
  readonly imageId: string | number;
  readonly words: readonly TextDetection[];
  /** For the report. */
  readonly maps?: KeptMaps;
}

/** Least scores of a word that are compared: the thresholds on the maps have sorted out most that is wrong. */
const WORD_SCORES = Array.from({ length: 20 }, (_, i) => i / 20);

/** Scores words by ICDAR's protocols at fixed thresholds; predictions.json has the outlines and scores by image. */
export function textEvaluator(
  options: TextEvaluation,
  dataset: Dataset,
  { brief = false }: ScoredImages = {},
): Evaluator<IcdarScore> {
  const byId = new Map(dataset.annotations.map((annotation) => [annotation.imageId, ofKind(annotation, 'text')]));
  const found: Found[] = [];
  return {
    read: (outputs, samples) =>
      mapsOf(outputs, samples.map(originOf), options.evaluateSize).map((one): Found => ({
        imageId: one.origin.imageId,
        words: findText(one, options.thresholds),
        ...(!brief && { maps: keepMaps(one) }),
      })),
    add: (read) => void found.push(...(read as readonly Found[])),
    finish() {
      const nameOf = new Map(dataset.toCoco().images.map(({ id, file_name }) => [id, file_name]));
      const annotations = found.map(({ imageId }) => byId.get(imageId)!);
      const scoreAll = (all: readonly (readonly TextDetection[])[]): IcdarResult =>
        scoreText(
          annotations.map((annotation, i) => toTextImage(annotation, all[i]!)),
          options.protocol,
        );
      const { score: metric, images } = scoreAll(found.map(({ words }) => words));
      const { hmean, precision, recall } = metric;
      return {
        metric,
        numbers: { hmean, precision, recall },
        predictions: found.map(({ imageId, words }) => ({ imageId, file: nameOf.get(imageId), words })),
        operatingPoint: () => {
          const hmeanAt = (least: number): number =>
            scoreAll(found.map(({ words }) => words.filter(({ score }) => score >= least))).score.hmean;
          return bestThreshold(WORD_SCORES, hmeanAt);
        },
        calibration: () => {
          const all = annotations.map((annotation, i) => toTextImage(annotation, found[i]!.words));
          const { judged, words } = judgeWords(all);
          const rightIs = 'a polygon that has IoU above 0.5 with a word that no other has found';
          return calibrationOf(judged, { total: words, least: 0, rightIs });
        },
        sections: (shown): Section[] => [
          ratesSection(metric, options.thresholds),
          sweepThresholds(
            found.map(({ maps }) => maps!),
            options.thresholds,
            scoreAll,
            options.protocol,
          ),
          {
            kind: 'boxes',
            names: ['text'],
            scoreThreshold: 0,
            examples: annotations
              .map((annotation, i) => exampleOf(annotation, found[i]!.words, images[i]!))
              .sort((a, b) => b.error - a.error)
              .slice(0, shown.images),
          },
        ],
      };
    },
  };
}

function ratesSection({ protocol, precision, recall, hmean }: IcdarScore, thresholds: TextThresholds): Section {
  const { text, lowText, link } = thresholds;
  return {
    kind: 'numbers',
    title: 'Score',
    text: `ICDAR's protocol (${protocol === 'iou' ? 'IoU above 0.5' : 'DetEval'}) at the recipe's thresholds: text ${text}, lowText ${lowText}, link ${link}.`,
    rows: [
      {
        name: 'words',
        numbers: [
          ['precision', precision],
          ['recall', recall],
          ['Hmean', hmean],
        ],
      },
    ],
    note: 'Don’t-care words count neither as found nor as missed.',
  };
}

/** The rectangles around true and found words, for the report's pictures. */
function exampleOf(
  { file, imageId, width, height, words }: TextAnnotation,
  found: readonly TextDetection[],
  { words: wanted, detections, recallHits, hmean }: ImageScore,
): Example {
  const box = (outline: readonly number[]) => bounds(Float64Array.from(outline));
  return {
    file,
    imageId,
    width,
    height,
    truth: words.map(({ outline, dontCare }) => ({ box: box(outline), label: 'text', ignore: dontCare })),
    predictions: found.map(({ outline, score }) => ({ box: box(outline), label: 'text', score })),
    error: 1 - hmean,
    caption: `${recallHits} of ${wanted} words found by ${detections} detections that count; drawn are the rectangles around the outlines`,
  };
}

const scoreText = (images: readonly TextImage[], protocol: TextEvaluation['protocol']): IcdarResult =>
  (protocol === 'iou' ? scoreIou : scoreDetEval)({ images, hasConfidences: false, notes: [] });

function toTextImage({ imageId, words }: TextAnnotation, detections: readonly TextDetection[]): TextImage {
  return {
    id: String(imageId),
    words: words.map(({ text, outline, dontCare }) => ({
      isRectangle: false,
      points: outline,
      transcription: text,
      dontCare,
    })),
    detections: detections.map(({ outline, score }) => ({ isRectangle: false, points: outline, confidence: score })),
  };
}

const originOf = ({ imageId, placement, originalWidth, originalHeight }: Sample): Origin => ({
  imageId,
  placement,
  originalWidth,
  originalHeight,
});
