import { z } from 'zod';
import { detectors, type DetectionOptions, type HeadName } from './detectors.js';
import { boxTraining, selection } from './options.js';

type Defaults = {
  readonly [Name in HeadName]: Omit<Extract<DetectionOptions, { readonly head: Name }>, 'backbone' | 'numClasses'>;
};

const { focal, hardNegatives } = z.object(boxTraining).parse({});
/** A recipe keeps nearly all detections, to score them; a program wants those that are worth showing. */
const shared = { size: [320, 320], focal, hardNegatives, ...z.object(selection).parse({}), scoreThreshold: 0.05 };

/** The options of each head for a program that names nothing but the backbone, the head and the classes. */
export const detectorDefaults = Object.fromEntries(
  detectors.map(({ name, options, defaults }) => [name, { ...shared, ...options.parse({}), ...defaults, head: name }]),
) as unknown as Defaults;
