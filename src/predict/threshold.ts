import { basename, dirname, join, resolve } from 'node:path';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';

const metricsSchema = z.object({ operatingPoint: z.object({ scoreThreshold: z.number().min(0).max(1) }) });

/** The threshold that the run of this directory or best checkpoint measured. A run that was stopped, or that an older
 *  version made, has none. */
export async function measuredThreshold(path: string): Promise<number | undefined> {
  const directory = await runOf(path);
  if (directory === undefined) return undefined;
  try {
    const metrics: unknown = JSON.parse(await readFile(join(directory, 'metrics.json'), 'utf8'));
    return metricsSchema.safeParse(metrics).data?.operatingPoint.scoreThreshold;
  } catch {
    return undefined;
  }
}

/** The run directory that a path names: itself, or that of its best checkpoint. */
async function runOf(path: string): Promise<string | undefined> {
  const local = resolve(path.replace(/^(run|file):/, ''));
  if (await isFolder(local)) return local;
  const folder = dirname(local);
  const isBest = basename(local) === 'best.safetensors' && basename(folder) === 'checkpoints';
  return isBest ? dirname(folder) : undefined;
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
