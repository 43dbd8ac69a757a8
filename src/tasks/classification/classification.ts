import { ofKind, type Sample } from '../../data/sample.js';
import * as b from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { buildClassifier } from '../../models/classifier.js';
import { findBackbone } from '../../models/registry.js';
import type { BackboneChoice } from '../../models/table.js';
import { conventionsOf } from '../description/description.js';
import { distilClasses } from '../distillation.js';
import { atFittingSize } from '../fittingSize.js';
import { batchTotal, softCrossEntropyRows } from '../losses.js';
import { findPlaces, regulariserFor } from '../regulariser.js';
import { softmax, type Classification } from './probabilities.js';
import type { Losses, LossOptions, Network, Targets } from '../network.js';

export interface ClassificationOptions {
  readonly backbone: BackboneChoice;
  readonly numClasses: number;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  /** Share of the target that is spread over all classes, in training. Szegedy et al. 2016 (arXiv:1512.00567), section
   *  7. */
  readonly labelSmoothing: number;
  /** Weights of the classes in the training loss; without them all classes weigh the same. */
  readonly classWeights?: readonly number[] | undefined;
  /** Share of the pooled features that training sets to 0. */
  readonly dropout: number;
  /** Share of the images for which training skips the last residual block; the share is 0 for the first block. Huang et
   *  al. 2016 (arXiv:1603.09382). */
  readonly stochasticDepth: number;
}

/** One class for the whole image: the backbone's own classifier, and softmax cross-entropy with soft targets.
 *  Throws E_MODEL_UNKNOWN, E_MODEL_SIZE, E_MODEL_DROP. */
export function classificationTask(options: ClassificationOptions): Network<Classification> {
  const { numClasses, size, labelSmoothing, classWeights } = options;
  const backbone = findBackbone(options.backbone);
  const places = findPlaces(backbone, options);
  atFittingSize(size, `the classifier of ${backbone.name}`, (fitting) =>
    buildClassifier(backbone, numClasses, { batch: 1, size: fitting, trainBatchNorm: () => false }),
  );

  function loss(logits: Value, { training = false, old, workers }: LossOptions = {}): Losses {
    const { total, present } = labelLoss(logits, training, workers);
    if (!old || old.weight === 0) return { total, parts: {} };
    const distill = b.mul(distilClasses(logits, old, { present, workers }), old.weight);
    return { total: b.add(total, distill), parts: { class: total, distill } };
  }

  function labelLoss(
    logits: Value,
    training: boolean,
    workers: number | undefined,
  ): { readonly total: Value; readonly present: Value } {
    const { graph } = logits.node;
    const targets = b.input(graph, 'targets', logits.shape);
    const weight = b.sum(targets, [1], true); // [N,1]: 1 for an image, 0 for a place without one
    const present = b.reshape(weight, [logits.shape[0]!]);
    const smooth = training && labelSmoothing > 0;
    const spread = b.mul(weight, labelSmoothing / numClasses);
    const wanted = smooth ? b.add(b.mul(targets, 1 - labelSmoothing), spread) : targets;
    if (training && classWeights) {
      // As PyTorch does: Σ over the images / Σ of the weights of their classes. A place without an image has no target.
      const weights = b.constant(graph, classWeights, [1, numClasses]);
      const all = batchTotal(b.sum(b.mul(targets, weights)), workers, Math.min(...classWeights));
      return { total: b.div(b.sum(softCrossEntropyRows(logits, b.mul(wanted, weights))), all), present };
    }
    const total = b.div(b.sum(softCrossEntropyRows(logits, wanted)), batchTotal(b.sum(weight), workers));
    return { total, present };
  }

  function encode(sample: Sample): Targets {
    const { label, mixed } = ofKind(sample, 'wholeImage');
    const targets = new Float32Array(numClasses);
    targets[label] = 1 - (mixed?.share ?? 0);
    if (mixed) targets[mixed.label]! += mixed.share;
    return { targets };
  }

  return {
    name: 'classification',
    backbone,
    size,
    description: {
      task: 'classification',
      backbone: options.backbone,
      ...conventionsOf(backbone),
      size,
      activation: 'softmax',
    },
    columns: (classNames) => classNames,
    build: ({ batch, size: built, trainBatchNorm, training = false }) => {
      const regulariser = training ? regulariserFor(places, options) : undefined;
      const { image, logits } = buildClassifier(backbone, numClasses, {
        batch,
        size: built,
        trainBatchNorm,
        regulariser,
      });
      return { image, outputs: { logits }, loss: (asked) => loss(logits, asked) };
    },
    // Smoothing and weights of the classes change this a little, by less than the factor that the check allows.
    start: {
      part: 'loss',
      loss: Math.log(numClasses),
      why: 'ln K',
      predictor: ['*classifier*.weight', '*fc.weight', '*last_linear.weight'],
    },
    encode,
    decoding: { outputs: { logits: '[1, K]: the logit of each class' }, scores: 'softmax over the classes' },
    blank: () => ({ targets: new Float32Array(numClasses) }),
    decode: ({ logits }, origins) =>
      origins.map(({ imageId }, n) => ({
        imageId,
        probabilities: softmax(logits!.subarray(n * numClasses, (n + 1) * numClasses)),
      })),
  };
}
