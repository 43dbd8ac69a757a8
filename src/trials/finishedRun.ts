import { join } from 'node:path';
import type { z } from 'zod';
import { FinetuneError } from '../errors.js';
import { readOwnJson } from '../files/readOwnJson.js';
import { FINISHED } from '../run/directory.js';

/** What to do about a damaged or a missing file of a finished run. */
export const SCORE_AGAIN = 'remove metrics.json of the run, and continue it with --resume: that scores it again';

/** What a finished run measured, from its metrics.json. Throws E_COMPARE_UNFINISHED for a directory without one. */
export async function readFinished<Schema extends z.ZodType>(
  directory: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const parse = (content: unknown): z.output<Schema> => schema.parse(content);
  const metrics = await readOwnJson(join(directory, FINISHED), { parse, fix: SCORE_AGAIN });
  if (metrics !== undefined) return metrics;
  const fix = 'name directories of finished runs; --resume continues a stopped one';
  const where = { file: directory };
  throw new FinetuneError({ code: 'E_COMPARE_UNFINISHED', message: 'there is no finished run', where, fix });
}
