import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Source } from '../weights/sources/source.js';

/** The run directory whose best weights a file is; undefined for other files. */
export function runOfBest(file: string): string | undefined {
  const folder = dirname(file);
  return basename(file) === 'best.safetensors' && basename(folder) === 'checkpoints' ? dirname(folder) : undefined;
}

/** The file of a run that has its scores, and the threshold of its best weights. */
export const METRICS_FILE = 'metrics.json';

/** The content of a run's metrics.json. A run that was stopped, or that is being extended, has none. */
export async function readMetrics(run: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(run, METRICS_FILE), 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

const measuredSchema = z.object({
  weightsSha256: z.string().optional().catch(undefined), // runs of older versions have none
  operatingPoint: z
    .object({ scoreThreshold: z.number().min(0).max(1) })
    .optional()
    .catch(undefined),
  metric: z.looseObject({ metric: z.string().optional() }).nullish().catch(undefined),
  calibration: z.looseObject({}).nullish().catch(undefined),
});

/** What a run measured of these weights at its end; undefined for other weights than its best ones, also for those that
 *  were put in their place later. */
export async function measuredOf({ file, sha256 }: Source): Promise<z.output<typeof measuredSchema> | undefined> {
  const run = runOfBest(file);
  const measured = run === undefined ? undefined : measuredSchema.safeParse(await readMetrics(run)).data;
  return measured?.weightsSha256 === undefined || measured.weightsSha256 === sha256 ? measured : undefined;
}
