import { z } from 'zod';
import { CARD_VERSION } from './card.js';

const side = z.int().min(1);
const score = z.number().min(0).max(1);
const port = z.looseObject({ name: z.string().min(1), shape: z.array(side).min(1) });
/** −1 stands for any length. */
const input = port.extend({ shape: z.array(z.union([side, z.literal(-1)])).min(1) });

/** What this program reads of a card; the rest is for other programs and for people. */
export const cardSchema = z.looseObject({
  version: z.literal(CARD_VERSION),
  format: z.string(),
  for: z.string().nullish(),
  task: z.enum(['detection', 'classification', 'text']),
  input,
  outputs: z.array(port).min(1),
  decode: z.looseObject({
    thresholds: z.looseObject({ score: score.nullable() }),
    nms: z.looseObject({ place: z.string() }).nullish(),
  }),
  files: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
  description: z.looseObject({}),
});

/** The parts of a card that reading it needs. */
export type ReadCard = z.output<typeof cardSchema>;
