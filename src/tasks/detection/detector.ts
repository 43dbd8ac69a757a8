import type { ClassIndex } from '../../data/sample.js';
import type { Xyxy } from '../../geometry/box.js';
import type { BackboneChoice } from '../../models/table.js';
import type { Built, Task } from '../task.js';
import type { DetectorAnchors } from './anchors.js';
import type { Focal } from '../losses.js';
import type { SelectOptions } from './nms.js';

/** What every detector is made from; each head adds its own. */
export interface DetectorOptions extends SelectOptions {
  readonly backbone: BackboneChoice;
  /** Height and width of the input, pixels. */
  readonly size: readonly [number, number];
  readonly focal: Focal;
  /** Background anchors per matched anchor in a softmax loss. */
  readonly hardNegatives: number;
  /** Of the classes, in the training loss of the class; without them all weigh the same. */
  readonly classWeights?: readonly number[] | undefined;
}

/** What a detector found on one image: rows belong together. */
export interface Found {
  /** [D,4], pixels of the input. */
  readonly boxes: Xyxy;
  /** [D], 0…1, best first. */
  readonly scores: readonly number[];
  /** [D]. */
  readonly classes: readonly ClassIndex[];
}

/** One kind of detector, chosen by `model.head`: its network, what it learns and what it says. detection.ts makes a Task of it. */
export interface Detector extends Pick<Task, 'build' | 'start' | 'encode' | 'blank'> {
  /** Whether the first column of the class predictor stands for background, before the classes' own. */
  readonly background: boolean;
  /** Undefined for a detector without anchors. */
  readonly anchors?: DetectorAnchors;
  /** The outputs of one image, without the batch's axis → at most `maxDetections`. */
  decode(outputs: Readonly<Record<keyof Built['outputs'], Float32Array>>): Found;
}
