import type { Dataset } from '../data/sample.js';
import type { Backend } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import type { Session } from '../engine/engine.js';
import { inputsOf, parametersOf, type Programs } from '../graph/program.js';
import type { Params } from '../graph/params.js';
import type { Ops } from '../graph/spec.js';
import type { Group } from '../graph/update.js';
import type { Model } from '../tasks/model.js';
import { SEED } from '../tasks/seed.js';
import { programName } from '../tasks/feeds.js';
import { openFeatureCache, type FeatureCache } from './featureCache.js';
import type { FreezePlan, FrozenPart } from './freeze.js';
import { prefixIdentity } from './prefixIdentity.js';
import { buildPrograms, type TrainPrograms } from './programs.js';
import type { TrainOptions } from './trainer.js';

/** The part of a run during which the same is frozen: its programs and what they keep. */
export interface Phase {
  /** Of the model's first size. */
  readonly programs: TrainPrograms;
  /** All of the session, by name: those of each of the model's sizes. */
  readonly all: Programs;
  readonly parameters: ReadonlyMap<string, Ops['param']>;
  /** The optimizer's part of them. */
  readonly slots: ReadonlyMap<string, Ops['param']>;
  /** Whether a step draws at random. */
  readonly seeded: boolean;
}

const named = ({ train, gather, evaluate, prefix }: TrainPrograms, nameOf: (kind: string) => string): Programs => ({
  [nameOf('train')]: train,
  [nameOf('evaluate')]: evaluate,
  ...(gather && { [nameOf('gather')]: gather }),
  ...(prefix && { [nameOf('prefix')]: prefix }),
});

export function planPhase(
  model: Model,
  { plan, stages }: { readonly plan: FreezePlan; readonly stages: FrozenPart },
  groupOf: (name: string) => Group,
  options: TrainOptions,
): Phase {
  const { task } = model;
  const split = options.cache !== 'none' && stages !== 0;
  const update = { ...options, groupOf };
  const bySize = (task.sizes ?? [model.size]).map((size) => {
    const programs = buildPrograms(model, { ...options, size, plan, update, ema: options.ema !== false, split });
    return { programs, names: named(programs, (kind) => programName(kind, size, task)) };
  });
  const { programs } = bySize[0]!;
  const all: Programs = Object.fromEntries(bySize.flatMap(({ names }) => Object.entries(names)));
  const parameters = parametersOf(all);
  const seeded = inputsOf(programs.train).some(({ name }) => name === SEED);
  return {
    programs,
    all,
    parameters,
    slots: new Map([...parameters].filter(([, { role }]) => role === 'slot')),
    seeded,
  };
}

/** Compiles a phase and gives it its values. Whoever opens it disposes of both. */
export async function openPhase(
  { programs, all, parameters }: Phase,
  values: Params,
  data: Dataset,
  backend: Backend,
  options: TrainOptions,
): Promise<{ readonly session: Session; readonly cache: FeatureCache | undefined }> {
  // What was folded is frozen as long as the phase lasts, so it may be part of the graph.
  const derived = programs.derive(values);
  const session = await compile(all, backend, derived);
  await session.write(new Map([...values].filter(([name]) => parameters.has(name))));
  const { prefix } = programs;
  if (!prefix) return { session, cache: undefined };
  const { batch, resize, cropFraction, interpolation } = options;
  const conditions = { engine: `${backend.name} ${backend.version}`, batch, resize, cropFraction, interpolation };
  const identity = prefixIdentity(prefix, new Map([...values, ...derived]), conditions);
  return { session, cache: await openFeatureCache(session, { prefix, identity }, data.annotations, options) };
}
