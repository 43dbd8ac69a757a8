import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { openDatasets } from '../../src/data/dataset.js';
import { shareOut } from '../../src/data/pipeline/share.js';
import { openBackend, type CompiledBackend } from '../../src/engine/backend.js';
import type { Feeds, WorkersMean } from '../../src/engine/engine.js';
import { compileSession } from '../../src/engine/libtensorflow/session.js';
import * as b from '../../src/graph/builder.js';
import { gradients } from '../../src/graph/grad.js';
import type { Params } from '../../src/graph/params.js';
import { sizeOf } from '../../src/graph/shapes.js';
import { randomStream } from '../../src/random.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { recipeModel } from '../../src/run/recipeModel.js';
import { trainOptions } from '../../src/run/trainOptions.js';
import { openTrainer } from '../../src/train/openTrainer.js';
import { ALONE } from '../../src/workers/workers.js';
import { openEngines } from '../engines.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { meansInMemory } from './inMemory.js';

let root: string;
let backend: CompiledBackend;
const hasTensorflow = (await openEngines()).some(({ name }) => name === 'tensorflow');
const slow = process.env['FINETUNE_SLOW'] === '1';
const describeEngine = hasTensorflow ? describe : describe.skip;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'workers-'));
  if (hasTensorflow) backend = (await openBackend({ engine: 'tensorflow' })) as CompiledBackend;
});
afterAll(() => rm(root, { recursive: true }));

describeEngine('a program with means over workers', () => {
  /** y = mean(x)², w grows by the gradient of mean(y) in x. */
  function programs() {
    const graph = b.createGraph();
    const w = b.param(graph, { name: 'w', shape: [2], role: 'weight', kind: 'vector', init: { type: 'constant', value: 0 } }); // prettier-ignore
    const x = b.input(graph, 'x', [2]);
    const [mean] = b.workersMean([b.mul(x, w)]);
    const y = b.sum(b.square(mean!));
    const [slope] = b.workersMean(gradients(y, [w]));
    return { step: { outputs: { y }, updates: [b.assign('w', b.add(w, slope!))] } };
  }
  const ones = new Map([['w', { shape: [2], data: Float32Array.of(1, 1) }]]);

  test('gives every worker the same values, and the gradient of the mean', async () => {
    const sessions = await Promise.all(
      meansInMemory(2).map((workersMean) => compileSession(programs(), { ...backend, workersMean })),
    );
    await Promise.all(sessions.map((session) => session.write(ones)));
    for (let step = 0; step < 2; step++) {
      const results = await Promise.all(
        sessions.map((session, rank) =>
          session.run('step', { x: rank === 0 ? Float32Array.of(1, 2) : Float32Array.of(3, 6) }),
        ),
      );
      expect(results[0]).toEqual(results[1]);
      if (step === 0) expect(results[0]!.y![0]).toBe(2 ** 2 + 4 ** 2);
    }
    // One step: w + d/dw (mean(x)·w)² = w + 2·mean(x)²·w = 9, 33; the next one multiplies by 9 and 33 again.
    for (const session of sessions) expect((await session.read()).get('w')!.data).toEqual(Float32Array.of(81, 1089));
    sessions.forEach((session) => session.dispose());
  });

  test('takes several parts of a batch, and gives the same as a worker for each', async () => {
    const feeds = [[1, 2], [3, 6], [5, 1]].map((x) => ({ x: Float32Array.from(x) })); // prettier-ignore
    const run = async (workersMean: WorkersMean, [first, ...others]: readonly Feeds[]) => {
      const session = await compileSession(programs(), { ...backend, workersMean });
      await session.write(ones);
      for (let step = 0; step < 2; step++) await session.run('step', first!, others);
      const values = (await session.read()).get('w')!.data;
      session.dispose();
      return values;
    };
    const [one, other] = meansInMemory(2);
    const each = await Promise.all(meansInMemory(3).map((mean, rank) => run(mean, [feeds[rank]!])));
    const two = await Promise.all([run(one!, feeds.slice(0, 1)), run(other!, feeds.slice(1))]);
    const alone = await run((parts, mean) => ALONE.mean(parts, mean), feeds); // prettier-ignore
    for (const values of [...each, ...two]) expect(values).toEqual(alone);
    expect(alone[0]).toBeGreaterThan(1);
  });

  test('adds up what each worker keeps, and takes the means of the sums once', async () => {
    const graph = b.createGraph();
    const w = b.param(graph, { name: 'w', shape: [2], role: 'weight', kind: 'vector', init: { type: 'constant', value: 0 } }); // prettier-ignore
    const x = b.input(graph, 'x', [2]);
    const [mean] = b.workersMean([x], 'sums');
    const [loss] = b.workersMean([b.sum(x)]);
    const all = {
      gather: { outputs: { loss: loss! }, updates: [b.addToSums('sums', [x])] },
      step: { outputs: { loss: loss! }, updates: [b.assign('w', b.add(w, mean!))] },
    };
    const exchanged: number[] = [];
    const run = async (workersMean: WorkersMean, shares: readonly number[]) => {
      const counted: WorkersMean = (parts, means) => {
        exchanged.push(means.length);
        return workersMean(parts, means);
      };
      const session = await compileSession(all, { ...backend, workersMean: counted });
      await session.write(ones);
      for (const [i, program] of ['gather', 'gather', 'step', 'step'].entries()) {
        const [first, ...others] = shares.map((share) => ({ x: Float32Array.of(share * 10 ** i, 1) }));
        await session.run(program, first!, others);
      }
      const values = (await session.read()).get('w')!.data;
      session.dispose();
      return values;
    };
    const [one, other] = meansInMemory(2);
    const two = await Promise.all([run(one!, [1]), run(other!, [3])]);
    expect(exchanged.filter((length) => length === 2)).toHaveLength(2 * 2); // in the two steps alone
    // 1 + mean(111, 333) + mean(1000, 3000), and 1 + 3 + 1.
    for (const values of two) expect(values).toEqual(Float32Array.of(2223, 5));
    expect(await run((parts, means) => ALONE.mean(parts, means), [1, 3])).toEqual(two[0]);
  });

  test('changes nothing where the exchange fails, and goes on', async () => {
    let fails = true;
    const workersMean: WorkersMean = (parts, mean) =>
      fails ? Promise.reject(new Error('a worker is gone')) : ALONE.mean(parts, mean);
    const session = await compileSession(programs(), { ...backend, workersMean });
    await session.write(ones);
    await expect(session.run('step', { x: Float32Array.of(1, 2) })).rejects.toThrow('a worker is gone');
    expect((await session.read()).get('w')!.data).toEqual(Float32Array.of(1, 1));
    fails = false;
    await session.run('step', { x: Float32Array.of(1, 2) });
    expect((await session.read()).get('w')!.data).toEqual(Float32Array.of(3, 9));
    session.dispose();
  });
});

describeEngine('training with several workers', () => {
  beforeAll(async () => {
    const random = randomStream(1, 'discs');
    for (const colour of ['red', 'blue']) {
      for (const [part, count] of [
        ['train', 12],
        ['val', 1],
      ] as const) {
        // prettier-ignore
        await mkdir(join(root, 'data', part, colour), { recursive: true });
        for (let i = 0; i < count; i++) {
          const [x, y, r] = [random.uniform(15, 45), random.uniform(15, 45), random.uniform(12, 20)];
          const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><rect width="60" height="60" fill="#888"/><circle cx="${x}" cy="${y}" r="${r}" fill="${colour}"/></svg>`;
          await sharp(Buffer.from(svg))
            .jpeg()
            .toFile(join(root, 'data', part, colour, `${i}.jpg`));
        }
      }
    }
  });
  const recipeOf = (batch: number, more: string) =>
    parseRecipe(
      `
task: classification
seed: 3
data: { format: imageFolder, root: ${join(root, 'data')}, size: 64${more.includes('cache') ? ', augment: false' : ''} }
model: { backbone: ${tinyBackbone} }
train: { epochs: 5, batch: ${batch}, ${more} }
`,
      'test.yaml',
    );

  /** The weights of all workers after some steps with 6 images each, in so many parts. */
  async function weightsOf(count: number, more: string, steps: number, parts = count): Promise<Params[]> {
    const recipe = await recipeOf(6 / parts, more);
    const data = await openDatasets(recipe.data);
    const { model } = await recipeModel(recipe, data);
    const train = async (workersMean: WorkersMean, rank: number) => {
      const share = shareOut(parts, { rank, count });
      const options = { ...trainOptions(recipe, {}, join(root, `${count}-${rank}`)), share };
      const own = { ...backend, workersMean };
      const trainer = await openTrainer(model, data.train, own, options);
      while (trainer.state.step < steps) {
        for await (const batch of trainer.batches()) if (trainer.state.step < steps) await trainer.step(batch);
        Object.assign(trainer.state, { epoch: trainer.state.epoch + 1, batch: 0 });
      }
      const { params } = await trainer.presentModel();
      await trainer.dispose();
      return params;
    };
    return Promise.all(
      count === 1 ? [train((own, mean) => ALONE.mean(own, mean), 0)] : meansInMemory(count).map(train),
    );
  }
  const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  /** The largest difference of a parameter's values, relative to the largest of them. */
  const difference = (one: Params, other: Params): number =>
    Math.max(
      ...[...one].map(([name, { data }]) => {
        const apart = largest(other.get(name)!.data.map((value, i) => value - data[i]!));
        return apart / Math.max(largest(data), 1e-3);
      }),
    );

  // With BatchNorm on the statistics of each step, differences of rounding grow from step to step (docs/scaling.md). One
  // step is compared, after which biases that began at 0 are nothing but the update.
  const frozen = 'freeze: { batchNorm: eval }, lr: { value: 0.02 }';
  const synced = 'syncBatchNorm: true, lr: { value: 0.001 }';
  test.each([
    [2, 20, frozen, 1e-5],
    [2, 20, `accumulate: 3, ${frozen}`, 1e-5], // in epochs of four batches
    ...(slow ? ([[3, 20, frozen, 1e-5], [2, 1, synced, 2e-5], [3, 1, synced, 2e-5]] as const) : []), // prettier-ignore
  ] as const)(
    '%i workers end with the weights of one that has the whole batch after %i steps: %s',
    async (count, steps, more, most) => {
      const [alone] = await weightsOf(1, more, steps);
      const [first, ...others] = await weightsOf(count, more, steps);
      for (const other of others) expect(other).toEqual(first);
      expect(difference(alone!, first!)).toBeLessThan(most);
      if (slow) expect((await weightsOf(count, more, steps))[0]).toEqual(first); // again: the same to the bit
    },
    120_000,
  );

  // What a run does after a worker was lost for good: the others compute its part, too.
  test.each([
    [1, 2, 'accumulate: 2, lr: { value: 0.02 }, optimizer: { name: adamw }'],
    [2, 3, 'accumulate: 2, lr: { value: 0.02 }, ema: { decay: 0.9 }'],
    [2, 3, 'syncBatchNorm: true, lr: { value: 0.02 }'],
    [1, 2, 'freeze: { stages: 1 }, cache: memory, lr: { value: 0.02 }'],
  ] as const)(
    '%i workers with %i parts end with the bytes of a worker for each part: %s',
    async (count, parts, more) => {
      const [each] = await weightsOf(parts, more, 6);
      for (const params of await weightsOf(count, more, 6, parts)) expect(params).toEqual(each);
    },
  );

  test('a run that ends between two batches of a step is saved as it was before the step', async () => {
    const recipe = await recipeOf(3, 'accumulate: 2, lr: { value: 0.02 }, ema: { decay: 0.9 }');
    const data = await openDatasets(recipe.data);
    const { model } = await recipeModel(recipe, data);
    const share = shareOut(2, { rank: 0, count: 1 });
    const open = (directory: string, resume = false) => {
      const options = { ...trainOptions(recipe, {}, join(root, directory)), share, resume };
      return openTrainer(model, data.train, { ...backend, workersMean: (own, mean) => ALONE.mean(own, mean) }, options); // prettier-ignore
    };
    const whole = await open('whole-steps');
    for await (const batch of whole.batches()) await whole.step(batch);
    const stopped = await open('part-of-a-step');
    for await (const batch of stopped.batches()) {
      await stopped.step(batch);
      expect(stopped.isWhole).toBe(stopped.state.step === 2);
      if (stopped.state.step === 3) break;
    }
    await stopped.saveLast();
    await stopped.dispose();
    const resumed = await open('part-of-a-step', true);
    expect(resumed.state).toMatchObject({ step: 2, batch: 2, averaged: 1 });
    for await (const batch of resumed.batches()) await resumed.step(batch);
    expect(resumed.state).toEqual(whole.state);
    expect(await resumed.presentModel()).toEqual(await whole.presentModel());
    await resumed.dispose();
    await whole.dispose();
  });

  test('exchanges no gradients of frozen stages', async () => {
    const recipe = await recipeOf(3, 'freeze: { stages: all }');
    const data = await openDatasets(recipe.data);
    const { model } = await recipeModel(recipe, data);
    let exchanged = 0;
    const workersMean: WorkersMean = (parts, mean) => {
      exchanged += mean.length;
      return ALONE.mean(parts, mean);
    };
    const options = { ...trainOptions(recipe, {}, join(root, 'frozen')), share: shareOut(2, { rank: 0, count: 1 }) };
    const trainer = await openTrainer(model, data.train, { ...backend, workersMean }, options);
    for await (const batch of trainer.batches()) if (trainer.state.step === 0) await trainer.step(batch);
    const sizes = trainer.plan.trainable.map((name) => sizeOf(model.parameters.get(name)!.shape));
    const losses = 2; // the loss and its only part
    expect(exchanged - losses).toBe(sizes.reduce((sum, size) => sum + size, 0));
    await trainer.dispose();
  });
});
