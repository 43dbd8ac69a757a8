import { sizeOf } from '../../graph/shapes.js';
import { findBackbone } from '../../models/registry.js';
import { BACKGROUND } from '../../categories/columns.js';
import { conventionsOf, type DetectorDescription, type NetworkDescription } from '../description/description.js';
import { atFittingSize } from '../fittingSize.js';
import type { Network, Origin } from '../network.js';
import type { Detection, Detector } from './detector.js';
import { headOf, type DetectionOptions } from './detectors.js';
import { selection } from './options.js';
import { toOriginal } from './toOriginal.js';

/** The detector that `head` names. Throws E_MODEL_UNKNOWN, and E_MODEL_SIZE where backbone and head do not fit an input
 *  of this size; the error names a size that fits. */
export function createDetector(options: DetectionOptions): Detector {
  const { backbone, head } = options;
  const what = `"model.head: ${head}" on ${typeof backbone === 'string' ? backbone : 'this backbone'}`;
  return atFittingSize(options.size, what, (size) => headOf(head).create({ ...options, size }));
}

/** The detector for one size of the input. Those for other sizes differ from it in their anchors alone. */
interface Sized {
  readonly detector: Detector;
  readonly size: readonly [number, number];
  /** Number of values in each output, for one image. */
  readonly lengths: readonly (readonly [name: string, length: number])[];
}

function createSized(options: DetectionOptions): Sized {
  const { size } = options;
  const detector = createDetector(options);
  const { outputs } = detector.build({ batch: 1, size, trainBatchNorm: () => false });
  return { detector, size, lengths: Object.entries(outputs).map(([name, { shape }]) => [name, sizeOf(shape)]) };
}

/** Boxes around objects, found by the detector that `head` names, for inputs of one size or of several.
 *  Throws E_MODEL_UNKNOWN, E_MODEL_SIZE. */
export function detectionTask(
  options: DetectionOptions,
  sizes: readonly (readonly [number, number])[] = [options.size],
): Network<readonly Detection[]> {
  const all = sizes.map((size) => createSized({ ...options, size }));
  const [first] = all as [Sized];
  const at = (height: number, width: number): Sized =>
    all.find(({ size }) => size[0] === height && size[1] === width) ?? first;
  const seeing = (picture: Origin['picture']): Sized =>
    all.length > 1 && picture ? at(picture.height, picture.width) : first;
  const backbone = findBackbone(options.backbone);
  return {
    name: 'detection',
    backbone,
    size: first.size,
    ...(sizes.length > 1 && { sizes }),
    description: {
      ...describeHead(options, first.detector),
      ...conventionsOf(backbone),
      size: first.size,
      ...(sizes.length > 1 && { sizes }),
    },
    columns: (classNames) => (first.detector.background ? [BACKGROUND, ...classNames] : classNames),
    build: (asked) => at(...asked.size).detector.build(asked),
    start: options.classWeights ? undefined : first.detector.start, // the weights change the first loss
    encode: (sample) => seeing(sample.picture).detector.encode(sample),
    decoding: first.detector.decoding,
    decodeInGraph: (outputs) => first.detector.decodeInGraph(outputs),
    blank: (size = first.size) => at(...size).detector.blank(),
    decode: (results, origins) =>
      origins.map((origin, n) => {
        const { detector, lengths } = seeing(origin.picture);
        const one = lengths.map(([name, length]) => [name, results[name]!.subarray(n * length, (n + 1) * length)]);
        return toOriginal(detector.decode(Object.fromEntries(one) as typeof results), origin);
      }),
  };
}

function describeHead(
  options: DetectionOptions,
  { background, activation }: Detector,
): Pick<
  DetectorDescription & NetworkDescription,
  'task' | 'backbone' | 'head' | 'activation' | 'background' | 'selection'
> {
  const { backbone, head } = options;
  const pick = (names: object): object =>
    Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(names, name)));
  return {
    task: 'detection',
    backbone,
    head: { head, ...pick(headOf(head).options.shape) },
    activation: activation ?? (background ? 'softmax' : 'sigmoid'),
    background,
    selection: pick(selection) as DetectorDescription['selection'],
  };
}
