import { afterAll, describe, expect, test } from '@jest/globals';
import { kernels } from '../../src/engine/eager/kernels.js';
import type { Feed, Feeds, Results, Session } from '../../src/engine/engine.js';
import { inputsOf, type Program, type Programs } from '../../src/graph/program.js';
import * as b from '../../src/graph/builder.js';
import { gradients } from '../../src/graph/grad.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { DType, Graph, Op } from '../../src/graph/spec.js';
import { randomStream } from '../../src/random.js';
import { openEngines } from '../engines.js';
import { backward, elsewhere, opCases, withoutGradient, type OpCase } from './opCases.js';

const STEP = 1e-2; // half the central difference: the truncation, step²/6·f‴, and float32's noise, 1e-7·|y|/step, stay below 1e-4
const TOLERANCE = 1e-3;

/** A case as two programs over one graph: y, and the gradients of Σ weight·y, the weights being arbitrary but fixed. */
interface Built {
  readonly graph: Graph;
  readonly feeds: Feeds;
  readonly varying: readonly string[];
  readonly weights: readonly number[];
  readonly forward: Program;
  readonly backward: Program;
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const arrayOf = (dtype: DType, values: readonly number[]): Feed => new arrays[dtype](values);

/** Runs a program of a case: of the case's feeds it takes those that it reads. */
function run(session: Session, name: string, feeds: Feeds): Promise<Results> {
  const wanted = inputsOf(programs[name]!).map((input): [string, Feed] => [input.name, feeds[input.name]!]);
  return session.run(name, Object.fromEntries(wanted));
}

function buildCase({ label, operands, build }: OpCase): Built {
  const random = randomStream(1, label);
  const graph = b.createGraph();
  const named = operands.map((operand, i) => ({ ...operand, name: `operand${i}` }));
  const values = named.map(({ name, shape, dtype }) => b.input(graph, name, shape, dtype));
  const feeds = named.map(({ name, shape, dtype, draw }): [string, Feed] => [
    name,
    arrayOf(
      dtype,
      Array.from({ length: sizeOf(shape) }, (_, i) => draw(random, i)),
    ),
  ]);
  const y = build(...values);
  const weights = Array.from({ length: sizeOf(y.shape) }, () => random.uniform(-1, 1));
  const loss = b.sum(b.mul(y, b.constant(graph, weights, y.shape)));
  const varying = named.filter(({ varies }) => varies).map(({ name }) => name);
  const wrt = values.filter((_, i) => operands[i]!.varies);
  const outputs = Object.fromEntries(gradients(loss, wrt).map((gradient, i) => [varying[i]!, gradient]));
  return {
    graph,
    feeds: Object.fromEntries(feeds),
    varying,
    weights,
    forward: { outputs: { y } },
    backward: { outputs },
  };
}

const cases = Object.entries(opCases as Record<string, readonly OpCase[]>).flatMap(([op, list]) =>
  list.map((opCase, i) => ({ op, id: `${op}.${i}`, label: opCase.label, ...buildCase(opCase) })),
);

const programs: Programs = Object.fromEntries(
  cases.flatMap(({ id, forward, backward }) => [[`${id}.y`, forward], [`${id}.gradients`, backward]]), // prettier-ignore
);

const engines = await openEngines();
const sessions: (readonly [name: string, session: Session])[] = [];
for (const { name, compile } of engines) sessions.push([name, await compile(programs)]);
afterAll(() => sessions.forEach(([, session]) => session.dispose()));

/** (Σ weight·y(x + step) − Σ weight·y(x − step)) / 2·step for each element of one operand, summed in double precision. */
async function centralDifferences(
  session: Session,
  { id, feeds, weights }: (typeof cases)[number],
  name: string,
): Promise<number[]> {
  const x = feeds[name]!;
  const lossAt = async (i: number, value: number): Promise<number> => {
    const moved = x.slice();
    moved[i] = value;
    const { y } = await run(session, `${id}.y`, { ...feeds, [name]: moved });
    return weights.reduce((sum, weight, j) => sum + weight * y![j]!, 0);
  };
  const differences: number[] = [];
  for (const [i, value] of x.entries()) {
    const [above, below] = [Math.fround(value + STEP), Math.fround(value - STEP)];
    differences.push(((await lossAt(i, above)) - (await lossAt(i, below))) / (above - below));
  }
  return differences;
}

/** Largest |a − b| / (1 + |b|). */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(b, (value, i) => Math.abs(a[i]! - value) / (1 + Math.abs(value))));

describe.each(sessions)('gradients on %s equal central differences', (_, session) => {
  for (const opCase of cases) {
    test(opCase.label, async () => {
      const computed = await run(session, `${opCase.id}.gradients`, opCase.feeds);
      for (const name of opCase.varying) {
        const expected = await centralDifferences(session, opCase, name);
        expect(computed[name]).toHaveLength(expected.length);
        expect(expected.some((value) => Math.abs(value) > 0.01)).toBe(true); // else nothing was tested
        expect(distance(computed[name]!, expected)).toBeLessThan(TOLERANCE);
      }
    });
  }
});

const [wasm, tensorflow] = (['wasm', 'tensorflow'] as const).map(
  (engine) => sessions.find(([name]) => name === engine)?.[1],
);
(tensorflow ? describe : describe.skip)('wasm and tensorflow give the same', () => {
  const same = async (name: string, feeds: Feeds): Promise<void> => {
    const [ours, theirs] = [await run(wasm!, name, feeds), await run(tensorflow!, name, feeds)];
    for (const [key, values] of Object.entries(theirs)) expect(distance(ours[key]!, values)).toBeLessThan(1e-5);
  };
  for (const opCase of cases) {
    test(`${opCase.label}: y`, () => same(`${opCase.id}.y`, opCase.feeds));
    test(`${opCase.label}: gradients`, () => same(`${opCase.id}.gradients`, opCase.feeds));
  }
});

describe('the table of cases', () => {
  const opsOf = (graph: Graph): Set<Op> => new Set(graph.nodes.map((node) => node.op));

  test('has every op, or says that it has no gradient', () => {
    const listed = [...Object.keys(opCases), ...withoutGradient, ...backward, ...elsewhere];
    expect(listed.sort()).toEqual(Object.keys(kernels).sort());
  });

  test('has cases that contain their op', () => {
    for (const op of Object.keys(opCases)) expect(cases.filter((opCase) => opCase.op === op)).not.toHaveLength(0);
    for (const { op, label, graph } of cases) expect([label, opsOf(graph).has(op as Op)]).toEqual([label, true]);
  });

  test('reaches every backward op', () => {
    const reached = new Set(cases.flatMap(({ graph }) => [...opsOf(graph)]));
    expect(backward.filter((op) => !reached.has(op))).toEqual([]);
  });
});

describe('gradients()', () => {
  test('stops at stopGradient', async () => {
    const graph = b.createGraph();
    const x = b.input(graph, 'x', [2]);
    const [dx] = gradients(b.sum(b.mul(x, b.stopGradient(x))), [x]);
    const session = await engines[0]!.compile({ run: { outputs: { dx: dx! } } });
    expect((await session.run('run', { x: new Float32Array([3, -2]) })).dx).toEqual(new Float32Array([3, -2]));
    session.dispose();
  });

  test('adds what arrives over several paths', async () => {
    const graph = b.createGraph();
    const x = b.input(graph, 'x', [2]);
    const y = b.add(b.square(x), b.concat([b.slice(x, [1], [1]), b.slice(x, [0], [1])], 0));
    const [dx] = gradients(b.sum(b.mul(y, y)), [x]);
    const session = await engines[0]!.compile({ run: { outputs: { dx: dx! } } });
    const { dx: computed } = await session.run('run', { x: new Float32Array([1, 2]) });
    expect(computed).toEqual(new Float32Array([2 * 3 * 2 + 2 * 5, 2 * 5 * 4 + 2 * 3])); // y = [1 + 2, 4 + 1]
    session.dispose();
  });

  test('names a parameter that the loss does not depend on', () => {
    const graph = b.createGraph();
    const [x, y] = [b.input(graph, 'x', [2]), b.input(graph, 'y', [2])];
    expect(() => gradients(b.sum(x), [y])).toThrow(expect.objectContaining({ code: 'E_GRAD_MISSING' }));
  });

  test('does not differentiate a gradient', () => {
    const graph = b.createGraph();
    const x = b.input(graph, 'x', [2]);
    const [dx] = gradients(b.sum(b.swish(x)), [x]);
    expect(() => gradients(b.sum(dx!), [x])).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
  });
});
