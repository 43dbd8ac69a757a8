/** `model` for detection: the backbone and the weights, and the options of the head that `head` names. */
import { z } from 'zod';
import { detectors, type Heads } from '../../tasks/detection/detectors.js';
import { backbone } from '../../tasks/backboneOption.js';
import { weights } from './weights.js';

const common = { backbone, ...weights };

type NameOf<Name extends string, Place> = Place extends '0'
  ? z.ZodDefault<z.ZodOptional<z.ZodLiteral<Name>>>
  : z.ZodLiteral<Name>;
type ModelOf<Head, Place> = Head extends {
  readonly name: infer Name extends string;
  readonly options: z.ZodObject<infer Own>;
}
  ? z.ZodObject<{ head: NameOf<Name, Place> } & typeof common & Own, z.core.$strict>
  : never;

type ModelsOf<All extends readonly unknown[]> = { -readonly [I in keyof All]: ModelOf<All[I], I> };

const models = detectors.map(({ name, description, options }, i) => {
  const head = z.literal(name);
  // The union takes a recipe without a head for the first one.
  const named = (i === 0 ? head.optional().default(name) : head).describe(description);
  return z.strictObject({ head: named, ...common, ...options.shape });
}) as unknown as ModelsOf<Heads>;

export const detector = z.discriminatedUnion('head', models);
