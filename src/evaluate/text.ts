import type { Annotation, Dataset, Sample } from '../data/sample.js';
import type { Evaluator } from '../tasks/evaluator.js';
import type { Origin } from '../tasks/task.js';
import { findText, mapsOf, type TextDetection } from '../tasks/text.js';
import type { TextThresholds } from '../tasks/text/textBoxes.js';
import { scoreDetEval } from './detEval.js';
import { scoreIou, type IcdarResult, type IcdarScore } from './hmean.js';
import type { TextImage } from './icdarFiles.js';

export interface TextEvaluation {
  readonly evaluateSize: readonly [number, number];
  readonly thresholds: TextThresholds;
  readonly protocol: 'iou' | 'deteval';
}

/** Scores words by ICDAR's protocols at fixed thresholds; predictions.json: the outlines and scores by image. */
export function textEvaluator(options: TextEvaluation, dataset: Dataset): Evaluator<IcdarScore> {
  const byId = new Map(dataset.annotations.map((annotation) => [annotation.imageId, annotation]));
  const found: { readonly imageId: string | number; readonly words: readonly TextDetection[] }[] = [];
  return {
    add(outputs, samples) {
      for (const one of mapsOf(outputs, samples.map(originOf), options.evaluateSize)) {
        found.push({ imageId: one.origin.imageId, words: findText(one, options.thresholds) });
      }
    },
    finish() {
      const images = found.map(({ imageId, words }) => toTextImage(byId.get(imageId)!, words));
      const { score: metric } = scoreText(images, options.protocol);
      const { hmean, precision, recall } = metric;
      return {
        metric,
        score: hmean,
        numbers: { hmean, precision, recall },
        predictions: found,
        sections: () => [],
      };
    },
  };
}

const scoreText = (images: readonly TextImage[], protocol: TextEvaluation['protocol']): IcdarResult =>
  (protocol === 'iou' ? scoreIou : scoreDetEval)({ images, hasConfidences: false, notes: [] });

function toTextImage({ imageId, words = [] }: Annotation, detections: readonly TextDetection[]): TextImage {
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
