import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Session } from '../../src/engine/engine.js';
import { parametersOf, type Program } from '../../src/graph/program.js';
import * as b from '../../src/graph/builder.js';
import { initialValues } from '../../src/graph/init.js';
import type { Value } from '../../src/graph/spec.js';
import { updates, type OptimizerOptions, type UpdateOptions } from '../../src/graph/update.js';
import { openEngines } from '../engines.js';

/** Made by test/fixtures/optimizers/make.py. */
interface Golden {
  readonly weightDecay: number;
  readonly rates: readonly number[];
  readonly weight: readonly number[];
  readonly bias: readonly number[];
  readonly gradients: readonly (readonly [weight: readonly number[], bias: readonly number[]])[];
  readonly results: Readonly<Record<string, { options: Partial<OptimizerOptions>; weight: number[]; bias: number[] }>>;
}
const golden = JSON.parse(
  readFileSync(new URL('../fixtures/optimizers/optimizers.json', import.meta.url), 'utf8'),
) as Golden;
const engines = await openEngines();
const plain = {
  name: 'sgd',
  momentum: 0,
  nesterov: false,
  betas: [0.9, 0.999],
  smoothing: 0.9,
  epsilon: 1e-8,
} as const;

/** weight [4,3] and bias [3] with a loss whose gradients are fed. */
function build(options: Partial<UpdateOptions>): Record<'step' | 'gather', Program> {
  const graph = b.createGraph();
  const init = { type: 'constant', value: 0 } as const;
  const weight = b.param(graph, { name: 'weight', role: 'weight', kind: 'linear', shape: [4, 3], init });
  const bias = b.param(graph, { name: 'bias', role: 'bias', kind: 'vector', shape: [3], init });
  const against = (value: Value, name: string): Value => b.sum(b.mul(value, b.input(graph, name, value.shape)));
  const loss = b.add(against(weight, 'dweight'), against(bias, 'dbias'));
  const { step, gather, gradientNorm } = updates(loss, [weight, bias], {
    optimizer: plain, lr: b.input(graph, 'lr', []), clipNorm: null, clipValue: null, accumulate: 1,
    groupOf: () => ({ lr: 1, weightDecay: 0 }), ...options,
  }); // prettier-ignore
  return { step: { outputs: { gradientNorm }, updates: step }, gather: { outputs: { gradientNorm }, updates: gather } };
}

async function open(compile: (programs: Record<string, Program>) => Promise<Session>, programs: Record<string, Program>): Promise<Session> {
  const session = await compile(programs);
  const values = new Map([...parametersOf(programs)].map(([name, attrs]) => [name, initialValues(attrs, 0)]));
  values.set('weight', { shape: [4, 3], data: Float32Array.from(golden.weight) });
  values.set('bias', { shape: [3], data: Float32Array.from(golden.bias) });
  await session.write(values);
  return session;
} // prettier-ignore
const gradientFeeds = ([dweight, dbias]: Golden['gradients'][number]) => ({
  dweight: Float32Array.from(dweight),
  dbias: Float32Array.from(dbias),
});
const feeds = (gradients: Golden['gradients'][number], lr: number) => ({
  ...gradientFeeds(gradients),
  lr: Float32Array.of(lr),
});
const valuesOf = async (session: Session): Promise<number[]> => {
  const params = await session.read(['weight', 'bias']);
  return [...params.get('weight')!.data, ...params.get('bias')!.data];
};

describe.each(engines.map((engine) => [engine.name, engine] as const))('on %s', (_, { compile }) => {
  test.each(Object.entries(golden.results))("%s: 20 steps as PyTorch's", async (_, { options, weight, bias }) => {
    const groupOf = (name: string) => ({ lr: 1, weightDecay: name === 'weight' ? golden.weightDecay : 0 });
    const { step } = build({ optimizer: { ...plain, ...options }, groupOf });
    const session = await open(compile, { step });
    for (const [i, gradients] of golden.gradients.entries()) await session.run('step', feeds(gradients, golden.rates[i]!));
    const values = await valuesOf(session);
    session.dispose();
    for (const [i, value] of [...weight, ...bias].entries())
      expect(Math.abs(values[i]! - value)).toBeLessThan(1e-6 * (1 + Math.abs(value)));
  }); // prettier-ignore
});

describe('the frame around every optimizer', () => {
  const { compile } = engines[0]!;
  const [first, second] = golden.gradients as [Golden['gradients'][number], Golden['gradients'][number]];
  const start = [...golden.weight, ...golden.bias];
  const moved = async (options: Partial<UpdateOptions>): Promise<number[]> => {
    const { step } = build(options);
    const session = await open(compile, { step });
    await session.run('step', feeds(first, 1));
    const values = await valuesOf(session);
    session.dispose();
    return values.map((value, i) => start[i]! - value);
  };
  const gradient = first.flat();

  test('limits the norm of all gradients together', async () => {
    const norm = Math.hypot(...gradient);
    for (const [i, step] of (await moved({ clipNorm: 0.5 })).entries())
      expect(step).toBeCloseTo((gradient[i]! * 0.5) / norm, 5);
    for (const [i, step] of (await moved({ clipNorm: 100 })).entries()) expect(step).toBeCloseTo(gradient[i]!, 5);
  });

  test('limits every value', async () => {
    for (const [i, step] of (await moved({ clipValue: 0.2 })).entries())
      expect(step).toBeCloseTo(Math.min(Math.max(gradient[i]!, -0.2), 0.2), 5);
  });

  test('gives groups their rates', async () => {
    const groupOf = (name: string) => ({ lr: name === 'bias' ? 0.1 : 0, weightDecay: 0 });
    const steps = await moved({ groupOf });
    for (const step of steps.slice(0, 12)) expect(step).toBeCloseTo(0, 6);
    for (const [i, step] of steps.slice(12).entries()) expect(step).toBeCloseTo(0.1 * first[1][i]!, 5);
  });

  test('two gathered batches are one of their mean gradient, twice', async () => {
    const optimizer = { ...plain, momentum: 0.9 };
    const halves = await open(compile, build({ optimizer, accumulate: 2, clipNorm: 0.5 }));
    const whole = await open(compile, { step: build({ optimizer, clipNorm: 0.5 }).step });
    const mean = first.map((part, p) => part.map((value, i) => (value + second[p]![i]!) / 2)) as [number[], number[]];
    for (let i = 0; i < 2; i++) {
      await halves.run('gather', gradientFeeds(first));
      await halves.run('step', feeds(second, 0.1));
      await whole.run('step', feeds(mean, 0.1));
    }
    const expected = await valuesOf(whole);
    for (const [i, value] of (await valuesOf(halves)).entries()) expect(value).toBeCloseTo(expected[i]!, 6);
    halves.dispose();
    whole.dispose();
  });
});
