import type { Backend } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import type { Feeds, Session } from '../engine/engine.js';
import { inputsOf, parametersOf, type Program } from '../graph/program.js';
import { slice } from '../graph/builder.js';
import { fold } from '../graph/fold.js';
import type { Param } from '../graph/params.js';
import { sizeOf } from '../graph/shapes.js';
import type { Ops, Value } from '../graph/spec.js';
import { median } from './median.js';

export interface LatencyOptions {
  /** Number of timed calls, after the warm-up. */
  readonly runs?: number;
  readonly warmup?: number;
}

const [RUNS, WARMUP] = [20, 5];

/** The values that one call computes, of one graph that uses running statistics. */
export type Target = readonly Value[];

/** Median milliseconds of one call of each target. The targets of a group must be of one graph and share a session.
 *  Graphs are compiled as for inference, with BatchNorm folded and constant weights. The targets are called in turn, so
 *  that a slow moment of the machine affects all of them. */
export async function measureLatency(
  groups: readonly (readonly Target[])[],
  backend: Backend,
  { runs = RUNS, warmup = WARMUP }: LatencyOptions = {},
): Promise<number[][]> {
  const sessions: Timed[] = [];
  try {
    for (const targets of groups) sessions.push(await open(targets, backend));
    const times = sessions.map(({ programs }) => programs.map((): number[] => []));
    for (let run = -warmup; run < runs; run++) {
      for (const [group, { session, programs }] of sessions.entries()) {
        for (const [i, [name, feeds]] of programs.entries()) {
          const start = performance.now();
          await session.run(name, feeds);
          if (run >= 0) times[group]![i]!.push(performance.now() - start);
        }
      }
    }
    return times.map((group) => group.map(median));
  } finally {
    for (const { session } of sessions) session.dispose();
  }
}

interface Timed {
  readonly session: Session;
  readonly programs: readonly (readonly [name: string, feeds: Feeds])[];
}

async function open(targets: readonly Target[], backend: Backend): Promise<Timed> {
  const values = targets.flat();
  const parameters = parametersOf({ all: { outputs: named(values) } });
  const params = new Map([...parameters].map(([name, attrs]) => [name, steady(attrs)]));
  // Only one number of each map is returned, since copying whole maps out of the engine would be timed, too.
  const corners = values.map((value) =>
    slice(
      value,
      value.shape.map(() => 0),
      value.shape.map(() => 1),
    ),
  );
  const { roots, derive } = fold(corners);
  let next = 0;
  const programs = targets.map((target, i): [string, Program] => {
    return [`target${i}`, { outputs: named(roots.slice(next, (next += target.length))) }];
  });
  const wanted = parametersOf(Object.fromEntries(programs));
  const constants = new Map([...params, ...derive(params)].filter(([name]) => wanted.has(name)));
  const session = await compile(Object.fromEntries(programs), backend, constants);
  return { session, programs: programs.map(([name, program]) => [name, feedsOf(program)] as const) };
}

const named = (values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(values.map((value, i) => [String(i), value]));

const feedsOf = (program: Program): Feeds =>
  Object.fromEntries(inputsOf(program).map(({ name, shape }) => [name, new Float32Array(sizeOf(shape)).fill(0.5)]));

/** Weights that keep activations near 1 and are made quickly: they are not random, and have no denormal numbers, which
 *  would be slower. */
function steady({ shape, kind, role }: Ops['param']): Param {
  const fan = sizeOf(shape.slice(0, kind === 'depthwise' ? 2 : -1));
  const value = kind === 'vector' ? Number(role === 'scale' || role === 'variance') : 1 / fan;
  return { shape, data: new Float32Array(sizeOf(shape)).fill(value) };
}
