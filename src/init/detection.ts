import { COCO_CATEGORIES } from '../categories/coco.js';
import { findInCatalog } from '../weights/catalog.js';
import type { DataFacts } from './facts.js';
import { chooseSchedule } from './schedule.js';
import { setting, type Setting } from './setting.js';

/** Sides of the input that are tried: the side at which the COCO weights were trained first. */
export const DETECTION_SIDES = [300, 384, 512] as const;
/** Fewer images than this are augmented by flips and colours alone, and train the later layers. */
const SMALL_SET = 500;
const LARGE_SET = 3000;
/** Fewer images than this are shown without changes of their colours. */
const FEW_IMAGES = 150;
/** Stages of MobileNetV2 that are frozen for a small data set. */
const FROZEN = 4;

export interface DetectionChoice {
  readonly facts: DataFacts;
  readonly size: Setting;
  readonly anchors?: Setting | undefined;
  readonly time: string | undefined;
  /** The largest batch that fits into memory. */
  readonly batch: number;
}

/** The settings of a detector. docs/results.md and docs/freezing.md have the runs that they come from. */
export function chooseDetection({ facts, size, anchors, time, batch }: DetectionChoice): Setting[] {
  const images = facts.parts.train!;
  const { name, uri } = findInCatalog('ssdlite_mobilenet_v2.coco')!;
  const isSmall = images < SMALL_SET;
  const isFew = images < FEW_IMAGES;
  const isLarge = images >= LARGE_SET;
  const coco = new Set(COCO_CATEGORIES.map(({ name }) => name));
  const isKnown = facts.classes.every(({ name }) => coco.has(name));
  return [
    size,
    flipOf(facts),
    isFew
      ? setting('data.augment.photometric', false, 'so that the outputs of the frozen layers can be kept')
      : setting('data.augment.photometric', true, 'brightness, contrast and hue vary between photos'),
    setting(
      'data.augment.expand',
      isLarge ? 0.5 : 0,
      isLarge ? 'zoom and crops help in long schedules' : 'zoom and crops cost 0.03 AP50 in short schedules on BCCD',
    ),
    setting('data.augment.iouCrop', isLarge),
    setting('model.head', 'ssdlite', 'the fastest head; its weights are published'),
    setting('model.backbone', 'tf_mobilenetv2_100', 'the backbone of the COCO weights'),
    setting('model.weights', name, `trained on COCO, from ${uri.slice(0, uri.indexOf('@'))}`),
    isKnown
      ? setting(
          'model.classLoss',
          'sigmoid',
          'that of the weights: COCO has all of these classes, so their predictor is kept',
        )
      : setting('model.classLoss', 'softmax', 'learns more in few steps than sigmoid: AP50 0.89 to 0.85 on BCCD'),
    ...(anchors ? [anchors] : []),
    ...chooseSchedule({ images, batch, time }),
    setting('train.lr.value', 0.04, 'for 32 images; scaled to the batch'),
    setting('train.lr.perBatch', 32),
    ...(isSmall
      ? [
          setting(
            'train.freeze.stages',
            FROZEN,
            `${images} images: the early layers stay; as good on raccoon, and faster`,
          ),
        ]
      : []),
    ...(isFew
      ? [
          setting(
            'train.cache',
            'memory',
            'each image and its mirror image run through the frozen layers once: 2.4 times as fast',
          ),
        ]
      : []),
  ];
}

/** Whether a left-right flip keeps what an object is. */
function flipOf({ classes }: DataFacts): Setting {
  const names = classes.map(({ name }) => name);
  const sided = names.find((name) => /(?:^|[^a-z])(?:left|right)(?:[^a-z]|$)/i.test(name));
  const letters = names.filter((name) => /^[\p{L}\d]$/u.test(name)).length;
  if (sided !== undefined) return setting('data.augment.flip', 0, `a mirrored "${sided}" is another class`);
  if (letters > names.length / 2) return setting('data.augment.flip', 0, 'letters and digits must not be mirrored');
  return setting('data.augment.flip', 0.5);
}
