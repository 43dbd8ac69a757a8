import { invariant } from '../../errors.js';
import { oneBoxPerRow, type GraphBoxes } from '../../tasks/detection/decodeInGraph.js';
import type { DetectorDescription } from '../../tasks/description/description.js';
import type { Net } from '../format.js';
import type { Checkpoint } from '../source.js';
import type { Obstacle } from './target.js';

/** Why an application that finds objects cannot use the model. */
export const whyNoDetector = ({ description: { task } }: Checkpoint, application: string): Obstacle | undefined =>
  task === 'detection'
    ? undefined
    : { message: `${application} has no use for a model for ${task}`, fix: 'leave --for out' };

/** The description of a model that `whyNoDetector` has let pass. */
export function detectorOf({ description }: Checkpoint): DetectorDescription {
  invariant(description.task === 'detection', 'whyNot comes before adapt');
  return description;
}

/** Boxes [1,R,4] Xyxy in pixels of the input and scores [1,R,K] of the net's rows, one box in each row. */
export const boxesOf = ({ model }: Checkpoint, { program }: Net): GraphBoxes =>
  oneBoxPerRow(model.task.decodeInGraph!(program.outputs));
