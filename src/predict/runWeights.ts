import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { descriptionDifferences } from '../tasks/description/differences.js';
import { parseDescription } from '../tasks/description/schema.js';
import { DESCRIPTION, type WeightsFile } from '../weights/read.js';
import { readSafetensors } from '../weights/safetensorsFile.js';
import { readMetrics, runOfBest } from './measured.js';

/** Checks that the best weights of a run are of the model that it trained: a file of another run may have been copied over
 *  them, and scores, threshold and recipe are not those of that model. Weights elsewhere are not looked at. Throws
 *  E_RUN_WEIGHTS. */
export async function checkRunWeights(
  { source: { file } }: Pick<WeightsFile, 'source'>,
  description: ModelDescription,
): Promise<void> {
  const run = runOfBest(file);
  if (run === undefined) return;
  const difference = (await differenceFromScores(run, description)) ?? (await differenceFromLast(run, description));
  if (difference === undefined) return;
  throw new FinetuneError({
    code: 'E_RUN_WEIGHTS',
    message: `these weights are of another model than the one that this run trained: ${difference}`,
    where: { file },
    fix: 'put the weights of the run back; to use these, move them out of the run directory and name the file',
  });
}

const scoredSchema = z.object({
  task: z.string(),
  metric: z
    .object({ perCategory: z.array(z.object({ name: z.string() })) })
    .optional()
    .catch(undefined),
});

/** How a model differs from the one that metrics.json was written for, in its task or its classes; undefined if it does not. */
async function differenceFromScores(run: string, { task, categories }: ModelDescription): Promise<string | undefined> {
  const scored = scoredSchema.safeParse(await readMetrics(run)).data;
  if (!scored) return undefined;
  if (scored.task !== task) return `they are for ${task}, and metrics.json is for ${scored.task}`;
  const absent = scored.metric?.perCategory.find(({ name }) => !categories.some((one) => one.name === name));
  return absent && `they do not know "${absent.name}", a class that metrics.json has`;
}

/** The last weights of a run describe its model, too. They may have been removed. */
async function differenceFromLast(run: string, description: ModelDescription): Promise<string | undefined> {
  const last = join(run, 'checkpoints', 'last.safetensors');
  if (!(await isFile(last))) return undefined;
  let trained: ModelDescription;
  try {
    const { metadata } = await readSafetensors(last, () => false);
    trained = parseDescription(metadata[DESCRIPTION] ?? '', last);
  } catch (error) {
    if (error instanceof FinetuneError) return undefined; // damaged: the best weights may be sound
    throw error;
  }
  if (trained.task !== description.task)
    return `they are for ${description.task}, and last.safetensors is for ${trained.task}`;
  const [classes, others] = [description, trained].map(({ categories }) =>
    categories.map(({ name }) => name).join(', '),
  );
  if (classes !== others) return `they are for ${classes}, and last.safetensors is for ${others}`;
  const [first] = descriptionDifferences(description, trained);
  return first && `${first.path} is ${first.file}, and ${first.model} in last.safetensors`;
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
