import { z } from 'zod';
import { bench as run, type BenchOptions } from '../bench/bench.js';
import { count } from '../optionValues.js';
import type { BenchReport } from '../report/speed.js';
import { checkArgument, checkText, hooks } from './arguments.js';

const optionsSchema = z.strictObject({
  ...hooks,
  image: z.string().min(1).optional(),
  rounds: count.optional(),
  int8: z.boolean().optional(),
  browser: z.union([z.string().min(1), z.literal(false)]).optional(),
  save: z.boolean().optional(),
});

/** Measures each way to run a model on this machine, and recommends the fastest: the same as `finetune bench`.
 *  Throws E_USAGE, E_MODEL_PATH, E_BENCH_NONE. */
export async function bench(path: string, options: BenchOptions = {}): Promise<BenchReport> {
  checkText('path', path);
  checkArgument('options', optionsSchema, options);
  return run(path, options);
}
