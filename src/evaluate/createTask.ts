import { classificationEvaluator } from './classification.js';
import type { ClassificationScore } from './classificationScore.js';
import type { CocoScore } from './cocoScore.js';
import { detectionEvaluator } from './detection.js';
import type { IcdarScore } from './hmean.js';
import { textEvaluator, type TextEvaluation } from './text.js';
import type { TextDetection } from '../tasks/text/findText.js';
import { textTask, type TextOptions } from '../tasks/text/text.js';
import { classificationTask, type ClassificationOptions } from '../tasks/classification/classification.js';
import type { Classification } from '../tasks/classification/probabilities.js';
import { detectionTask } from '../tasks/detection/detection.js';
import type { Detection } from '../tasks/detection/detector.js';
import type { DetectionOptions } from '../tasks/detection/detectors.js';
import type { ModelDescription } from '../tasks/description/description.js';
import type { Task } from '../tasks/task.js';

/** Object detection, scored by COCO's protocol. Throws E_MODEL_UNKNOWN. */
export function createDetection(
  options: DetectionOptions,
  sizes?: readonly (readonly [number, number])[],
): Task<readonly Detection[], CocoScore> {
  const network = detectionTask(options, sizes);
  return {
    ...network,
    evaluator: (dataset, how) => detectionEvaluator(network, dataset, { ...how, selection: options }),
  };
}

/** Scene-text detection by CRAFT's maps, scored by ICDAR's protocols. Throws E_MODEL_UNKNOWN. */
export function createText(options: TextOptions & TextEvaluation): Task<readonly TextDetection[], IcdarScore> {
  return { ...textTask(options), evaluator: (dataset, how) => textEvaluator(options, dataset, how) };
}

/** Classification of whole images by a backbone's own classifier, scored by top-1 and top-5.
 *  Throws E_MODEL_UNKNOWN, E_MODEL_DROP. */
export function createClassification(options: ClassificationOptions): Task<Classification, ClassificationScore> {
  const network = classificationTask(options);
  return { ...network, evaluator: (dataset) => classificationEvaluator(network, dataset) };
}

/** The task of a model that a weights file describes, for predictions. */
export function describedTask(description: ModelDescription): DescribedTask {
  const { backbone, size, sizes, categories } = description;
  const common = { backbone, size, numClasses: categories.length };
  switch (description.task) {
    case 'detection': {
      const { head, selection } = description;
      // tasks/description/schema.ts checked that these are the options of the head.
      const options = { ...trainingDefaults, ...head, ...selection, ...common } as unknown as DetectionOptions;
      return { kind: 'detection', task: createDetection(options, sizes) };
    }
    case 'classification': {
      const training = { labelSmoothing: 0, dropout: 0, stochasticDepth: 0 };
      return { kind: 'classification', task: createClassification({ ...training, ...common }) };
    }
    case 'text': {
      const { head, evaluateSize, thresholds } = description;
      const training = { loss: 'hardNegatives', negatives: 3, protocol: 'iou' } as const;
      return { kind: 'text', task: createText({ ...training, ...common, head, evaluateSize, thresholds }) };
    }
  }
}

export type DescribedTask =
  | { readonly kind: 'detection'; readonly task: Task<readonly Detection[]> }
  | { readonly kind: 'classification'; readonly task: Task<Classification> }
  | { readonly kind: 'text'; readonly task: Task<readonly TextDetection[]> };

/** Options of detectors that only training reads. */
const trainingDefaults = { focal: { alpha: 0.25, gamma: 2 }, hardNegatives: 3 };

/** The scores of all tasks, distinguished by `metric`. */
export type TaskScore = CocoScore | ClassificationScore | IcdarScore;
