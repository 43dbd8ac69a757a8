import type { Dataset } from '../data/sample.js';
import type { Backend } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import type { Session } from '../engine/engine.js';
import type { Params } from '../graph/params.js';
import { averageName } from './ema.js';
import { openFeatureCache, type FeatureCache } from './features/featureCache.js';
import type { TrainOptions } from './options.js';
import type { Phase } from './planPhase.js';
import { prefixIdentity } from './features/prefixIdentity.js';

/** A phase on an engine. Whoever opens it disposes of it. */
export class OpenPhase {
  constructor(
    readonly plan: Phase,
    readonly session: Session,
    /** The frozen stages' outputs, where the recipe caches them. */
    readonly cache: FeatureCache | undefined,
    /** The values that the phase began with. */
    private readonly initial: Params,
  ) {}

  /** Values of the named parameters: the session's own; the initial ones of parameters that the session does not have
   *  because they are folded; with `averaged` their moving averages, where there are any. */
  async read(names: readonly string[], { averaged = false } = {}): Promise<Params> {
    const { parameters } = this.plan;
    const source = (name: string): string => (averaged && parameters.has(averageName(name)) ? averageName(name) : name);
    const read = await this.session.read(names.map(source).filter((name) => parameters.has(name)));
    return new Map(names.map((name) => [name, read.get(source(name)) ?? this.initial.get(name)!]));
  }

  /** Sets those of the values that the session has a parameter for. */
  async write(values: Params): Promise<void> {
    await this.session.write(new Map([...values].filter(([name]) => this.plan.parameters.has(name))));
  }

  /** With `keep`, features cached on disk stay there for a run that resumes. */
  async dispose(options?: { readonly keep?: boolean }): Promise<void> {
    this.session.dispose();
    await this.cache?.dispose(options);
  }
}

/** Compiles the programs of a phase and gives them their values: parameters and slots. */
export async function openPhase(
  plan: Phase,
  values: Params,
  data: Dataset,
  backend: Backend,
  options: TrainOptions,
): Promise<OpenPhase> {
  // What was folded stays frozen as long as the phase lasts, so it may become constants of the graph.
  const derived = plan.programs.derive(values);
  const session = await compile(plan.all, backend, derived);
  const cache = await openCache(session, plan, new Map([...values, ...derived]), data, backend, options);
  const phase = new OpenPhase(plan, session, cache, values);
  await phase.write(values);
  return phase;
}

/** Undefined where the phase runs no frozen stages on their own. */
async function openCache(
  session: Session,
  { programs: { prefix } }: Phase,
  values: Params,
  data: Dataset,
  { name, version }: Backend,
  options: TrainOptions,
): Promise<FeatureCache | undefined> {
  if (!prefix) return undefined;
  const { batch, resize, cropFraction, interpolation } = options;
  const conditions = { engine: `${name} ${version}`, batch, resize, cropFraction, interpolation };
  const identity = prefixIdentity(prefix, values, conditions);
  return openFeatureCache(session, { prefix, identity }, data.annotations, options);
}
