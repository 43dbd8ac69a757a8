import type { Dataset } from '../data/sample.js';
import type { Backend } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import type { Session } from '../engine/engine.js';
import { compileInference, type InferenceSession } from '../engine/inference/compileInference.js';
import type { Params } from '../graph/params.js';
import { parametersOf } from '../graph/program.js';
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
    /** The frozen stages, where they run on their own. */
    readonly prefix: InferenceSession | undefined,
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
    await this.session.write(among(values, this.plan.parameters));
  }

  /** Values of folded parameters, as the engines hold them. */
  async readFolded(names: readonly string[]): Promise<Params> {
    const [own, others] = [names.filter((name) => this.plan.parameters.has(name)), parametersOf(this.plan.prefixes)];
    const ofPrefix = names.filter((name) => others.has(name));
    return new Map([...(await this.session.read(own)), ...((await this.prefix?.read(ofPrefix)) ?? [])]);
  }

  /** With `keep`, features cached on disk stay there for a run that resumes. */
  async dispose(options?: { readonly keep?: boolean }): Promise<void> {
    this.session.dispose();
    this.prefix?.dispose();
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
  const session = await compile(plan.all, backend, among(derived, plan.parameters));
  const known = new Map([...values, ...derived]);
  const prefix = await openPrefix(plan, known, backend);
  const cache = prefix && options.cache !== 'none' ? await openCache(prefix, plan, known, data, options) : undefined;
  const phase = new OpenPhase(plan, session, prefix, cache, values);
  await phase.write(values);
  return phase;
}

const among = (values: Params, parameters: ReadonlyMap<string, unknown>): Params =>
  new Map([...values].filter(([name]) => parameters.has(name)));

/** The frozen stages, on the engine that computes them faster; undefined where the phase does not run them on their own. */
async function openPrefix(
  { prefixes }: Phase,
  values: Params,
  backend: Backend,
): Promise<InferenceSession | undefined> {
  if (Object.keys(prefixes).length === 0) return undefined;
  return compileInference(prefixes, backend, among(values, parametersOf(prefixes)), { inTurn: true });
}

function openCache(
  session: InferenceSession,
  { programs: { prefix } }: Phase,
  values: Params,
  data: Dataset,
  options: TrainOptions,
): Promise<FeatureCache> {
  const { batch, resize, cropFraction, interpolation } = options;
  const conditions = { engine: session.engine, batch, resize, cropFraction, interpolation };
  const identity = prefixIdentity(prefix!, values, conditions);
  return openFeatureCache(session, { prefix: prefix!, identity }, data.annotations, options);
}
