import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import { writeAtomically } from '../files/writeAtomically.js';
import { initialValues } from '../graph/init.js';
import type { Params } from '../graph/params.js';
import { slotOwner } from '../graph/slots.js';
import type { Ops } from '../graph/spec.js';
import type { Model } from '../tasks/model.js';
import { loadWeights } from '../weights/load.js';
import { verifySafetensors } from '../weights/decode/safetensors.js';
import { saveWeights } from '../weights/save.js';
import { averageName } from './programs.js';

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
  /** 0 as long as nothing was evaluated. */
  bestEpoch: z.number(),
  bestScore: z.number(),
  /** How often freeze.unfreeze has thawed stages. */
  thawed: z.number().default(0),
  /** Updates of the running means of the weights. */
  averaged: z.number().default(0),
  /** Of the schedule plateau. */
  plateau: z.object({ since: z.number(), cuts: z.number() }).default({ since: 0, cuts: 0 }),
  /** Of early stopping: the last score that was enough better than the ones before, and the evaluations since. */
  waiting: z.object({ mark: z.number().nullable(), since: z.number() }).default({ mark: null, since: 0 }),
  /** Identifies the recipe: a run continues with the one it began with. */
  recipe: z.string(),
});

/** Where a run stands. Everything random is a function of seed, epoch and index, so nothing else is needed to go on. */
export type RunState = z.infer<typeof stateSchema>;

/** `last` and the one before it, and the epoch with the best score. */
export type CheckpointName = 'last' | 'previous' | 'best';

export const checkpointFile = (directory: string, name: CheckpointName): string =>
  join(directory, 'checkpoints', `${name}.safetensors`);

/** Writes weights, optimizer slots and state as one file with a hash of itself, atomically, and keeps the one before as `previous`:
 *  whenever the process or the machine dies, one of the two is whole. `last.state.json` beside it holds the state once more, for people. */
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
    metadata: { state: JSON.stringify(state) },
    previous: checkpointFile(directory, 'previous'),
  });
  await writeAtomically(join(directory, 'checkpoints', 'last.state.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/** A checkpoint whose bytes are those that were written. */
export interface FoundCheckpoint {
  readonly file: string;
  readonly state: RunState;
  /** Why it is not the last one. */
  readonly instead?: string;
}

/** The last whole checkpoint of a run directory; undefined where none was written yet. With `setAside` a damaged one
 *  becomes `*.damaged`, so that the whole one is not replaced by it. Throws E_CHECKPOINT_DAMAGED where none is whole. */
export async function findCheckpoint(
  directory: string,
  { setAside = false } = {},
): Promise<FoundCheckpoint | undefined> {
  const damaged: { readonly file: string; readonly why: string }[] = [];
  for (const name of ['last', 'previous'] as const) {
    const file = checkpointFile(directory, name);
    try {
      const { metadata } = await verifySafetensors(file);
      const state = stateSchema.parse(JSON.parse(metadata.state ?? '{}'));
      if (setAside) for (const bad of damaged) await rename(bad.file, `${bad.file}.damaged`);
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
      fix: 'restore it from a copy, or start a new run; model.weights: run:<this directory> takes the best weights if they are whole',
    })),
  );
}

/** Reads a checkpoint. Throws E_RESUME_RECIPE where it belongs to another recipe. */
export async function loadCheckpoint(
  { file, state }: FoundCheckpoint,
  model: Model,
  slots: ReadonlyMap<string, Ops['param']>,
  recipe: string,
): Promise<{ readonly params: Params; readonly folded: readonly string[] }> {
  if (state.recipe !== recipe) {
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
  return { params, folded };
}

/** Slots at their start: nothing, and for a running mean of a parameter its value. */
export const startSlots = (slots: ReadonlyMap<string, Ops['param']>, params: Params): Params =>
  new Map(
    [...slots].map(([name, parameter]) => {
      const owner = params.get(slotOwner(name));
      return [name, owner && averageName(slotOwner(name)) === name ? owner : initialValues(parameter, 0)];
    }),
  );
