import type { Results } from '../../engine/engine.js';
import { classificationEvaluator } from '../../evaluate/classification.js';
import { detectionEvaluator } from '../../evaluate/detection.js';
import type { Detection, Found } from '../../tasks/detection/detector.js';
import { toOriginal } from '../../tasks/detection/toOriginal.js';
import type { DetectorDescription } from '../../tasks/description/description.js';
import type { Origin } from '../../tasks/network.js';
import type { Checkpoint } from '../source.js';
import type { Adapted } from './target.js';

type MakeEvaluator = NonNullable<Adapted['evaluator']>;

/** Scores an application that finds objects. `find` does what the application's decoder does with the outputs for one
 *  image, and returns boxes in pixels of the input. */
export const scoreBoxes =
  (find: (results: Results) => Found, { selection }: DetectorDescription): MakeEvaluator =>
  (dataset, how) =>
    detectionEvaluator(
      { decode: (results, origins) => origins.map((origin) => toOriginal(find(results), origin)) },
      dataset,
      { ...how, selection },
    );

/** Scores what the checkpoint itself finds from a score on. */
export const scoreFrom =
  (least: number, { model }: Checkpoint, { selection }: DetectorDescription): MakeEvaluator =>
  (dataset, how) => {
    const decode = (results: Results, origins: readonly Origin[]): (readonly Detection[])[] =>
      (model.task.decode(results, origins) as (readonly Detection[])[]).map((found) =>
        found.filter(({ score }) => score >= least),
      );
    return detectionEvaluator({ decode }, dataset, { ...how, selection });
  };

/** Scores an application that names the class of an image. `probabilitiesOf` returns those of the classes. */
export const scoreClasses =
  (probabilitiesOf: (results: Results) => Float32Array): MakeEvaluator =>
  (dataset) =>
    classificationEvaluator(
      {
        decode: (results, origins) =>
          origins.map(({ imageId }) => ({ imageId, probabilities: probabilitiesOf(results) })),
      },
      dataset,
    );
