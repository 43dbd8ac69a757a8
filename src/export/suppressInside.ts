import { FinetuneError } from '../errors.js';
import type { DetectorDescription } from '../tasks/description/description.js';
import { SUPPRESSED_OUTPUTS, readSuppressed } from '../tasks/detection/suppressed.js';
import { suppressInGraph, type GraphDetections } from '../tasks/detection/suppressInGraph.js';
import type { Net } from './format.js';
import type { Checkpoint } from './source.js';
import { scoreBoxes } from './targets/evaluators.js';
import type { Adapted } from './targets/target.js';

const refuse = ({ file }: Checkpoint, message: string): FinetuneError =>
  new FinetuneError({
    code: 'E_EXPORT_NMS',
    message,
    where: { file: file.source.file },
    fix: 'leave --nms out: then the program that runs the model decodes its outputs as the card says',
  });

/** The description of a detector. Throws E_EXPORT_NMS for other models. */
export function detectorOf(checkpoint: Checkpoint): DetectorDescription {
  const { description } = checkpoint;
  if (description.task === 'detection') return description;
  throw refuse(checkpoint, `non-maximum suppression belongs to detectors, and this is a model for ${description.task}`);
}

/** The detector with its decoding and non-maximum suppression inside: `--nms in`.
 *  Throws E_EXPORT_NMS for other models, and for Soft-NMS, which formats have no op for. */
export function suppressInside(checkpoint: Checkpoint, net: Net): Adapted {
  const description = detectorOf(checkpoint);
  const { model } = checkpoint;
  const { selection } = description;
  if (model.task.decoding.suppresses && selection.nms !== 'hard')
    throw refuse(
      checkpoint,
      `the model suppresses with evaluate.nms: ${selection.nms}, which a model file cannot hold`,
    );
  return {
    net: { ...net, program: { outputs: { ...detectInGraph(model, description, net) } } },
    feed: (pixels) => ({ image: pixels }),
    compared: ['scores'],
    evaluator: scoreBoxes((results) => readSuppressed(results, selection.scoreThreshold), description),
    card: { outputs: SUPPRESSED_OUTPUTS, decode: { scores: 'the output itself', boxes: 'the output itself' } },
  };
}

/** What a detector with hard suppression, or none, finds in an image, as values of its graph. */
export function detectInGraph(
  { task }: Checkpoint['model'],
  { selection, head }: DetectorDescription,
  { program }: Net,
): GraphDetections {
  const candidates = COUNTED_BY_CLASS.includes(head.head) ? selection.candidates : undefined;
  const suppresses = task.decoding.suppresses ?? false;
  return suppressInGraph(task.decodeInGraph!(program.outputs), { ...selection, suppresses, candidates });
}

/** Heads in which `evaluate.candidates` limits the boxes of a class. */
const COUNTED_BY_CLASS = ['ssdlite', 'ssd', 'yolov1'];
