import { join } from 'node:path';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { initialValues } from '../graph/init.js';
import type { Params } from '../graph/params.js';
import type { Ops } from '../graph/spec.js';
import type { Model } from '../model.js';
import { loadWeights } from '../weights/load.js';
import { readSafetensorsHeader } from '../weights/safetensors.js';
import { saveWeights } from '../weights/save.js';

const stateSchema = z.object({
  /** Steps done. */
  step: z.number(),
  /** The epoch the next step belongs to, from 0, and its place in it. */
  epoch: z.number(),
  batch: z.number(),
  /** Sum of the losses of the epoch's steps so far. */
  lossSum: z.number(),
  /** Training time so far, seconds. */
  seconds: z.number(),
  bestEpoch: z.number(),
  bestScore: z.number(),
  /** Identifies the recipe: a run continues with the one it began with. */
  recipe: z.string(),
});

/** Where a run stands. Everything random is a function of seed, epoch and index, so nothing else is needed to go on. */
export type RunState = z.infer<typeof stateSchema>;

export const checkpointFile = (directory: string, name: 'last' | 'best'): string =>
  join(directory, 'checkpoints', `${name}.safetensors`);

/** Writes weights, optimizer slots and state as one file, atomically: `last` is always a whole checkpoint, whenever the process dies.
 *  `last.state.json` beside it holds the state once more, for people. */
export async function saveCheckpoint(
  directory: string,
  model: Model,
  params: Params,
  slots: ReadonlyMap<string, Ops['param']>,
  state: RunState,
): Promise<void> {
  const kinds = new Map([...model.parameters, ...slots].map(([name, { kind }]) => [name, kind]));
  const categories = model.columns;
  const metadata = { state: JSON.stringify(state) };
  await saveWeights(checkpointFile(directory, 'last'), params, { kinds, categories, folded: model.folded, metadata });
  await writeAtomically(join(directory, 'checkpoints', 'last.state.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/** Reads the last checkpoint of a run directory. Throws E_RESUME_NOTHING where there is none, E_RESUME_RECIPE where it belongs to another recipe,
 *  and the weights' errors for a damaged file. */
export async function loadCheckpoint(
  directory: string,
  model: Model,
  slots: ReadonlyMap<string, Ops['param']>,
  recipe: string,
): Promise<{ readonly params: Params; readonly folded: readonly string[]; readonly state: RunState }> {
  const file = checkpointFile(directory, 'last');
  const { metadata } = await readSafetensorsHeader(file).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    const fix = 'start it without --resume';
    throw new FinetuneError(
      { code: 'E_RESUME_NOTHING', message: 'there is no checkpoint to resume from', where: { file }, fix },
      { cause },
    );
  });
  const state = stateSchema.parse(JSON.parse(metadata.state ?? '{}'));
  if (state.recipe !== recipe) {
    const fix = 'resume with the recipe.yaml of the run directory, or start a new run from its weights (model.weights)';
    throw new FinetuneError({
      code: 'E_RESUME_RECIPE',
      message: 'the run was begun with another recipe',
      where: { file },
      fix,
    });
  }
  const categories = model.columns;
  const { params, folded } = await loadWeights(`file:${file}`, [...model.parameters.values(), ...slots.values()], {
    categories,
  });
  return { params, folded, state };
}

export const emptySlots = (slots: ReadonlyMap<string, Ops['param']>): Params =>
  new Map([...slots].map(([name, parameter]) => [name, initialValues(parameter, 0)]));
