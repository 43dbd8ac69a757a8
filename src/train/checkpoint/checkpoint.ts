import { join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { move } from '../../files/folders.js';
import { writeAtomically } from '../../files/writeAtomically.js';
import { initialValues } from '../../graph/init.js';
import type { Params } from '../../graph/params.js';
import { slotOwner } from '../../graph/slots.js';
import type { Ops } from '../../graph/spec.js';
import type { Model } from '../../tasks/model.js';
import { loadWeights } from '../../weights/load.js';
import { verifySafetensors } from '../../weights/safetensorsFile.js';
import { saveWeights } from '../../weights/save.js';
import { averageName } from '../ema.js';
import { descriptionEntry } from '../modelWeights.js';
import { stateSchema, type RunState } from './state.js';

/** `last`; `previous`, the one before it; and `best`, the weights of the epoch with the best score. */
export type CheckpointName = 'last' | 'previous' | 'best';

export const checkpointFile = (directory: string, name: CheckpointName): string =>
  join(directory, 'checkpoints', `${name}.safetensors`);

/** Writes weights, optimizer slots and state atomically to one file that contains its own hash, and keeps the last one
 *  as `previous`: whenever the process or the machine dies, one of the two is intact. `last.state.json` beside it
 *  repeats the state for people. */
export async function saveCheckpoint(
  directory: string,
  model: Model,
  params: Params,
  slots: ReadonlyMap<string, Ops['param']>,
  state: RunState,
): Promise<void> {
  const kinds = new Map([...model.parameters, ...slots].map(([name, { kind }]) => [name, kind]));
  await saveWeights(checkpointFile(directory, 'last'), params, {
    kinds,
    categories: model.columns,
    folded: model.folded,
    metadata: { ...descriptionEntry(model), state: JSON.stringify(state) },
    previous: checkpointFile(directory, 'previous'),
  });
  await writeAtomically(join(directory, 'checkpoints', 'last.state.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/** A checkpoint whose hash is right. */
export interface FoundCheckpoint {
  readonly file: string;
  readonly state: RunState;
  /** What is wrong with the last one, where this is the one before it. */
  readonly instead?: string;
}

/** Finds the last intact checkpoint of a run directory; undefined where none has been written yet. With `setAside` a
 *  damaged one is renamed to `*.damaged`, so that it does not replace the intact one. Throws E_CHECKPOINT_DAMAGED where
 *  none is intact. */
export async function findCheckpoint(
  directory: string,
  { setAside = false } = {},
): Promise<FoundCheckpoint | undefined> {
  const damaged: { readonly file: string; readonly why: string }[] = [];
  for (const name of ['last', 'previous'] as const) {
    const file = checkpointFile(directory, name);
    try {
      const { metadata } = await verifySafetensors(file);
      const state = readState(metadata.state);
      if (setAside) for (const bad of damaged) await move(bad.file, `${bad.file}.damaged`);
      if (damaged.length === 0) return { file, state };
      return { file, state, instead: damaged[0]!.why };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') damaged.push({ file, why: (error as Error).message });
    }
  }
  if (damaged.length === 0) return undefined;
  throw new FinetuneError(
    damaged.map(({ file, why }) => ({
      code: 'E_CHECKPOINT_DAMAGED',
      message: `the checkpoint is damaged: ${why}`,
      where: { file },
      fix: 'restore it from a copy, or start a new run; model.weights: run:<this directory> takes the best weights if they are intact',
    })),
  );
}

function readState(text = ''): RunState {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error('it does not say how far the run had come', { cause });
  }
}

/** Reads the values of a checkpoint. Throws E_RESUME_RECIPE where it belongs to another recipe or to batches of another number
 *  of parts, and E_CHECKPOINT_DAMAGED where a value is not finite. */
export async function loadCheckpoint(
  { file, state }: FoundCheckpoint,
  model: Model,
  slots: ReadonlyMap<string, Ops['param']>,
  { recipe, workers }: Pick<RunState, 'recipe' | 'workers'>,
): Promise<{ readonly params: Params; readonly folded: readonly string[] }> {
  if (state.recipe !== recipe || state.workers !== workers) {
    throw new FinetuneError({
      code: 'E_RESUME_RECIPE',
      message: 'the checkpoint was made with another recipe, or by another version of this program',
      where: { file },
      fix: 'start a new run from its weights: model.weights: run:<this directory>',
    });
  }
  const { params, folded } = await loadWeights(`file:${file}`, [...model.parameters.values(), ...slots.values()], {
    categories: model.columns,
  });
  const broken = [...params].find(([, { data }]) => !data.every(Number.isFinite));
  if (broken) {
    throw new FinetuneError({
      code: 'E_CHECKPOINT_DAMAGED',
      message: `the values of "${broken[0]}" in the checkpoint are not finite: the run had diverged`,
      where: { file },
      fix: 'start a new run with a lower train.lr.value',
    });
  }
  return { params, folded };
}

/** Initial values of slots. A moving average starts at the value of its parameter. */
export const startSlots = (slots: ReadonlyMap<string, Ops['param']>, params: Params): Params =>
  new Map(
    [...slots].map(([name, parameter]) => {
      const owner = params.get(slotOwner(name));
      return [name, owner && averageName(slotOwner(name)) === name ? owner : initialValues(parameter, 0)];
    }),
  );
