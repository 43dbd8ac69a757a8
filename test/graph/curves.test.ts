import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Category } from '../../src/data/sample.js';
import { parametersOf } from '../../src/graph/program.js';
import { initialValues } from '../../src/graph/init.js';
import type { OptimizerOptions } from '../../src/graph/update.js';
import { createClassification } from '../../src/evaluate/createTask.js';
import { createModel } from '../../src/tasks/model.js';
import { planFreeze } from '../../src/train/freeze.js';
import { buildPrograms } from '../../src/train/programs.js';
import { toTorch } from '../../src/weights/layout.js';
import { openEngines } from '../engines.js';
import { formulaParams, uniform } from '../models/formula.js';
import { tinyTable } from '../tinyBackbone.js';

/** Made by test/fixtures/optimizers/curves.py. */
interface Golden {
  readonly batch: number;
  readonly side: number;
  readonly classes: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly results: Readonly<Record<string, Curve>>;
}
interface Curve {
  readonly options: Partial<OptimizerOptions> & Pick<OptimizerOptions, 'name'>;
  readonly lr: number;
  readonly losses: readonly number[];
  /** Some of the weights after the last step, in PyTorch's layout. */
  readonly after: Readonly<Record<string, readonly number[]>>;
}
const golden = JSON.parse(
  readFileSync(new URL('../fixtures/optimizers/curves.json', import.meta.url), 'utf8'),
) as Golden;
const { batch, side, classes, weightDecay, labelSmoothing, results } = golden;
const engine = (await openEngines()).at(-1)!;
const unused = { momentum: 0, nesterov: false, betas: [0, 0], smoothing: 0, epsilon: 0 } as const;
/** PyTorch's own losses and weights, these relative to the largest, differ by up to 9e-7 between single and double precision. */
const NOISE = 5e-6;

test.each(Object.entries(results))(
  "%s: 20 steps of training have PyTorch's losses and weights",
  async (_, { options, lr, losses, after }) => {
    const size = [side, side] as const;
    const backbone = { ...tinyTable, activation: 'swish' } as const;
    const task = createClassification({
      backbone,
      numClasses: classes,
      size,
      labelSmoothing,
      dropout: 0,
      stochasticDepth: 0,
    });
    const categories = Array.from({ length: classes }, (_, id) => ({ id, name: `${id}` }) as unknown as Category);
    const model = createModel(task, { categories, seed: 1 });
    const plan = planFreeze(model.backbone, model.parameters, { stages: 0, batchNorm: 'train' });
    const groupOf = (name: string) => ({
      lr: 1,
      weightDecay: model.parameters.get(name)!.role === 'weight' ? weightDecay : 0,
    });
    const optimizer = { ...unused, ...options };
    const update = { optimizer, groupOf, clipNorm: null, clipValue: null, accumulate: 1 };
    const { train } = buildPrograms(model, { batch, evaluateBatch: 1, plan, update, ema: false, split: 'never' });
    const session = await engine.compile({ train });
    const slots = [...parametersOf({ train })].map(([name, attrs]) => [name, initialValues(attrs, 1)] as const);
    await session.write(new Map([...slots, ...formulaParams(model.parameters)]));

    const found: number[] = [];
    for (let step = 0; step < losses.length; step++) {
      const image = uniform(`image ${step % 4}`, batch * side * side * 3, 127.5, 127.5);
      const targets = new Float32Array(batch * classes);
      for (let i = 0; i < batch; i++) targets[i * classes + (((step % 4) + i) % classes)] = 1;
      found.push((await session.run('train', { image, targets, lr: Float32Array.of(lr) })).loss![0]!);
    }
    for (const [step, loss] of losses.entries()) expect(Math.abs(found[step]! - loss)).toBeLessThan(NOISE);
    for (const [name, expected] of Object.entries(after)) {
      const path = model.parameters.has(name) ? name : `backbone.${name}`;
      const values = (await session.read([path])).get(path)!;
      const { data } = toTorch(model.parameters.get(path)!.kind, values);
      const largest = Math.max(...expected.map(Math.abs));
      expect(data).toHaveLength(expected.length);
      expect(Math.max(...expected.map((value, i) => Math.abs(value - data[i]!))) / largest).toBeLessThan(NOISE);
    }
    session.dispose();
  },
  60_000,
);
