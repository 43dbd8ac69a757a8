import { z } from 'zod';
import { ENGINES } from '../engine/names.js';
import { count, fraction } from '../optionValues.js';
import { serve as run, type Serving } from '../serve/serve.js';
import type { ServeOptions } from '../serve/options.js';
import { tiling } from '../tasks/description/tiling.js';
import { checkArgument, checkText, hooks } from './arguments.js';

const text = z.string().min(1);
const orNone = z.int().min(0);

const optionsSchema = z.strictObject({
  ...hooks,
  host: text.optional(),
  port: z.int().min(0).max(65535).optional(),
  token: text.optional(),
  withoutToken: z.boolean().optional(),
  files: text.optional(),
  cors: z.array(text).optional(),
  scoreThreshold: fraction.optional(),
  tiles: z.union([z.literal(false), tiling]).optional(),
  engine: z.enum(['auto', ...ENGINES]).optional(),
  workers: orNone.optional(),
  batch: count.optional(),
  batchDelay: orNone.optional(),
  mostBytes: count.optional(),
  mostPixels: count.optional(),
  mostRequests: count.optional(),
  rate: count.optional(),
  timeLimit: count.optional(),
  watchEvery: orNone.optional(),
});

/** Serves a trained model over HTTP until `close`: the same as `finetune serve`.
 *  Throws E_USAGE, E_SERVE_LISTEN, and what openModel throws. */
export async function serve(path: string, options: ServeOptions = {}): Promise<Serving> {
  checkText('path', path);
  checkArgument('options', optionsSchema, options);
  return run(path, options);
}
