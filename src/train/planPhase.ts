import { isOp } from '../graph/builder.js';
import { inputsOf, parametersOf, type Programs } from '../graph/program.js';
import type { Ops } from '../graph/spec.js';
import type { Group } from '../graph/update.js';
import { programName } from '../tasks/feeds.js';
import type { Model } from '../tasks/model.js';
import { SEED } from '../tasks/seed.js';
import type { FreezePhase, FreezePlan } from './freeze.js';
import type { TrainOptions } from './options.js';
import { buildPrograms, type TrainPrograms } from './programs.js';

/** A phase whose frozen parameters are known. */
export interface FrozenPhase extends FreezePhase {
  readonly freeze: FreezePlan;
}

/** The part of a run during which the same parameters are frozen: the graphs it computes and the parameters they keep. */
export interface Phase extends FrozenPhase {
  /** The programs for the model's first input size. */
  readonly programs: TrainPrograms;
  /** The programs for every input size, by the session's names for them. */
  readonly all: Programs;
  /** The frozen stages for every input size, where they run on their own. */
  readonly prefixes: Programs;
  readonly parameters: ReadonlyMap<string, Ops['param']>;
  /** Those of the parameters that belong to the optimizer and the moving averages. */
  readonly slots: ReadonlyMap<string, Ops['param']>;
  /** Whether each worker keeps sums of gradients outside of the parameters between two batches of one step. */
  readonly keepsSums: boolean;
  /** Whether a step draws random numbers, and so reads the input `seed`. */
  readonly seeded: boolean;
}

const named = ({ train, gather, evaluate }: TrainPrograms, nameOf: (kind: string) => string): Programs => ({
  [nameOf('train')]: train,
  [nameOf('evaluate')]: evaluate,
  ...(gather && { [nameOf('gather')]: gather }),
});

/** Builds the graphs of a phase. Throws E_GRAD_MISSING where the loss does not depend on a trained parameter. */
export function planPhase(
  model: Model,
  phase: FrozenPhase,
  groupOf: (name: string) => Group,
  options: TrainOptions,
): Phase {
  const { task } = model;
  const keeps = options.cache === 'none' ? 'ifLarge' : 'always';
  const split = phase.stages === 0 ? 'never' : keeps;
  const update = { ...options, groupOf };
  const bySize = (task.sizes ?? [model.size]).map((size) => {
    const ema = options.ema !== false;
    const programs = buildPrograms(model, {
      ...options,
      size,
      plan: phase.freeze,
      update,
      ema,
      split,
      workers: options.share.count,
    });
    const nameOf = (kind: string) => programName(kind, size, task);
    const { prefix } = programs;
    return { programs, names: named(programs, nameOf), prefix: prefix && ([nameOf('prefix'), prefix] as const) };
  });
  const { programs } = bySize[0]!;
  const all: Programs = Object.fromEntries(bySize.flatMap(({ names }) => Object.entries(names)));
  const parameters = parametersOf(all);
  return {
    ...phase,
    programs,
    all,
    prefixes: Object.fromEntries(bySize.flatMap(({ prefix }) => (prefix ? [prefix] : []))),
    parameters,
    slots: new Map([...parameters].filter(([, { role }]) => role === 'slot')),
    keepsSums: (programs.gather?.updates ?? []).some(({ node }) => isOp(node, 'addToSums')),
    seeded: inputsOf(programs.train).some(({ name }) => name === SEED),
  };
}
