import { basename, dirname, join, resolve } from 'node:path';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import type { ModelDescription } from '../tasks/description/description.js';

/** The least score of what a model returns, and who chose it. */
export interface ChosenThreshold {
  readonly value: number;
  /** `asked`: the caller; `run`: it has the best F1 on the validation part of the run (metrics.json, or the
   *  card of an exported model); `usual`: the run
   *  has none, or there is no run. */
  readonly chosenBy: 'asked' | 'run' | 'usual';
}

/** Least scores without a run that measured a better one. A classifier returns its most probable classes, and the words
 *  of a text detector have passed the thresholds on its maps. */
const USUAL = { detection: 0.3, classification: 0, text: 0 } as const;

/** Chooses the least score for a model: the asked one, else the one that its run measured. */
export function chooseThreshold(
  { task }: Pick<ModelDescription, 'task'>,
  asked: number | undefined,
  measured: number | undefined,
): ChosenThreshold {
  if (asked !== undefined) return { value: asked, chosenBy: 'asked' };
  return measured === undefined ? { value: USUAL[task], chosenBy: 'usual' } : { value: measured, chosenBy: 'run' };
}

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
