import { describe, expect, test } from '@jest/globals';
import type * as Tfjs from '@tensorflow/tfjs-core';
import { openBackend, type PortableBackend } from '../../src/engine/backend.js';
import { compileEager } from '../../src/engine/eager/eager.js';
import type { Session } from '../../src/engine/engine.js';
import { parametersOf, type Programs } from '../../src/graph/program.js';
import { activate, batchNorm, conv, depthwise, type Context } from '../../src/graph/blocks.js';
import * as b from '../../src/graph/builder.js';
import { initialValues } from '../../src/graph/init.js';
import type { Param, Params } from '../../src/graph/params.js';
import type { Graph, Ops, ParamAttrs, Shape, Value } from '../../src/graph/spec.js';
import { randomStream } from '../../src/random.js';
import { nesterovStep } from '../graph/nesterov.js';
import { openEngines, type TestEngine } from '../engines.js';
import { exactOps } from '../graph/exactOps.js';
import { windows } from '../graph/opCases.js';

const engines = await openEngines();
const wasm = (await openBackend({ engine: 'wasm' })) as PortableBackend;
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

async function using<T>(session: Session, act: (session: Session) => Promise<T>): Promise<T> {
  try {
    return await act(session);
  } finally {
    session.dispose();
  }
}

const floats = (length: number, name: string): Float32Array => {
  const random = randomStream(2, name);
  return Float32Array.from({ length }, () => random.normal());
};
const vector = (graph: Graph, name: string, length = 2): Value => {
  const attrs: ParamAttrs = { name, role: 'weight', kind: 'vector', init: { type: 'constant', value: 0 } };
  return b.param(graph, { ...attrs, shape: [length] });
};
const values = (entries: Readonly<Record<string, readonly number[]>>): Params =>
  new Map(
    Object.entries(entries).map(([name, data]): [string, Param] => [
      name,
      { shape: [data.length], data: Float32Array.from(data) },
    ]),
  );

/** A convolutional classifier of three blocks with everything a training step has: batch statistics, momentum, decay, clipping. */
function trainingStep(): Programs {
  const graph = b.createGraph();
  const style = { padding: 'same', epsilon: 1e-3, momentum: 0.1 } as const;
  const at: Context = { graph, style, trainBatchNorm: (path) => path !== 'frozen.bn' };
  let x = b.input(graph, 'image', [4, 9, 8, 3]);
  const classes = b.input(graph, 'classes', [4], 'int32');
  x = activate(batchNorm(conv(x, 'stem.conv', at, { channels: 8, kernel: 3, stride: 2 }), 'stem.bn', at), 'relu6');
  x = activate(batchNorm(depthwise(x, 'block.dw', at), 'block.bn', at), 'swish');
  x = activate(batchNorm(conv(x, 'frozen.conv', at, { channels: 8 }), 'frozen.bn', at), 'hardSwish');
  x = b.add(x, batchNorm(depthwise(x, 'down.dw', at, { kernel: 5 }), 'down.bn', at));
  const logits = b.reshape(conv(b.globalAveragePool(x), 'head', at, { channels: 5, bias: true }), [4, 5]);
  const loss = b.mul(b.sum(b.softmaxCrossEntropy(logits, classes)), 1 / 4);
  const trained = ['weight', 'bias', 'scale', 'shift'];
  const params = graph.nodes.flatMap((node) =>
    b.isOp(node, 'param') && trained.includes(node.attrs.role) && !node.attrs.name.startsWith('frozen')
      ? node.outputs
      : [],
  );
  const { updates, gradientNorm } = nesterovStep(loss, params);
  return {
    train: { outputs: { loss, gradientNorm }, updates },
    evaluate: { outputs: { logits } },
  };
}
const stepFeeds = (step: number): { image: Float32Array; classes: Int32Array; lr: Float32Array } => ({
  image: floats(4 * 9 * 8 * 3, `image ${step}`),
  classes: Int32Array.from([step, 1, 4, 0]),
  lr: Float32Array.of(0.1),
});
const initial = (programs: Programs): Params =>
  new Map([...parametersOf(programs)].map(([name, attrs]) => [name, initialValues(attrs, 3)]));

async function trainThreeSteps(engine: TestEngine): Promise<{ losses: number[]; params: Params }> {
  const programs = trainingStep();
  return using(await engine.compile(programs), async (session) => {
    await session.write(initial(programs));
    const losses: number[] = [];
    for (const step of [0, 1, 2]) losses.push((await session.run('train', stepFeeds(step))).loss![0]!);
    return { losses, params: await session.read() };
  });
}

/** Largest difference of two equally long lists. */
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

describe('training steps', () => {
  test('leave the same parameters on every engine', async () => {
    const [portable, ...others] = engines;
    const ours = await trainThreeSteps(portable!);
    for (const other of others) {
      const theirs = await trainThreeSteps(other);
      expect(farthest(ours.losses, theirs.losses)).toBeLessThan(1e-4);
      for (const [name, { data }] of ours.params) {
        expect([name, farthest(data, theirs.params.get(name)!.data) < 1e-4]).toEqual([name, true]);
      }
    }
  });

  test.each(engines)('on $name move what is trained, the statistics, and nothing else', async (engine) => {
    const before = initial(trainingStep());
    const { params, losses } = await trainThreeSteps(engine);
    expect(losses.every(Number.isFinite)).toBe(true);
    for (const [name, { data }] of params) {
      const frozen = /(^|\/)frozen/.test(name);
      expect([name, Buffer.from(data.buffer).equals(Buffer.from(before.get(name)!.data.buffer))]).toEqual([
        name,
        frozen,
      ]);
    }
  });
});

describe.each(engines)('$name', (engine) => {
  const { compile } = engine;

  test('computes the ops that have no gradient', async () => {
    const programs = Object.fromEntries(
      exactOps.map(([op, build], i) => [`${op}.${i}`, { outputs: { y: build(b.createGraph()) } }]),
    );
    await using(await compile(programs), async (session) => {
      for (const [i, [op, , expected]] of exactOps.entries()) {
        const { y } = await session.run(`${op}.${i}`, {});
        expect([op, [...y!]]).toEqual([op, expected.map((value) => expect.closeTo(value, 6))]);
      }
    });
  });

  test.each(['conv', 'depthwise'] as const)('computes %s as the sum over the window', async (op) => {
    const programs = Object.fromEntries(
      windows.map(([, kernel, window], i) => {
        const graph = b.createGraph();
        const x = b.input(graph, 'x', [2, 6, 5, 2]);
        const filter = b.input(graph, 'filter', [...kernel, 2, op === 'conv' ? 3 : 1]);
        return [`window.${i}`, { outputs: { y: b[op](x, filter, window) } }];
      }),
    );
    await using(await compile(programs), async (session) => {
      for (const [i, [label, kernel, window]] of windows.entries()) {
        const shape = [...kernel, 2, op === 'conv' ? 3 : 1];
        const [x, filter] = [floats(2 * 6 * 5 * 2, 'x'), floats(shape.reduce((n, size) => n * size), 'filter')]; // prettier-ignore
        const { y } = await session.run(`window.${i}`, { x, filter });
        const expected = slowConvolution(op, x, [2, 6, 5, 2], filter, shape, window);
        expect([label, [...y!]]).toEqual([label, expected.map((value) => expect.closeTo(value, 4))]);
      }
    });
  });

  test('refuses wrong feeds, all at once, and runs nothing', async () => {
    const graph = b.createGraph();
    const sum = b.add(b.input(graph, 'x', [2]), b.cast(b.input(graph, 'n', [2], 'int32'), 'float32'));
    const programs = {
      run: { outputs: { sum }, updates: [b.assign('w', sum)] },
      read: { outputs: { w: vector(graph, 'w') } },
    };
    await using(await compile(programs), async (session) => {
      await session.write(values({ w: [1, 2] }));
      const good = { x: Float32Array.of(1, 2), n: Int32Array.of(3, 4) };
      const refused = (feeds: Parameters<Session['run']>[1]): Promise<unknown> =>
        Promise.resolve().then(() => session.run('run', feeds));
      await expect(refused({ n: good.n })).rejects.toEqual(code('E_FEED'));
      await expect(refused({ ...good, z: good.x })).rejects.toEqual(code('E_FEED'));
      await expect(refused({ ...good, x: Float32Array.of(1) })).rejects.toEqual(code('E_FEED'));
      await expect(refused({ ...good, n: good.x })).rejects.toEqual(code('E_FEED'));
      await expect(refused({ x: good.n, z: good.x })).rejects.toMatchObject({ problems: [{}, {}, {}] });
      expect((await session.read()).get('w')!.data).toEqual(Float32Array.of(1, 2));
      expect((await session.run('run', good)).sum).toEqual(Float32Array.of(4, 6));
    });
  });

  test('reads and writes parameters by name, and refuses what does not fit', async () => {
    const graph = b.createGraph();
    const [v, w] = [vector(graph, 'v'), vector(graph, 'w')];
    await using(await compile({ run: { outputs: { y: b.add(v, w) } } }), async (session) => {
      const given = values({ v: [1, 2], w: [3, 4] });
      await session.write(given);
      given.get('v')!.data.fill(9); // the session must have copied the values
      await session.write(values({ w: [5, 6] }));
      expect([...(await session.read(['w'])).entries()]).toEqual([...values({ w: [5, 6] }).entries()]);
      (await session.read()).get('w')!.data.fill(9); // the reader must have got a copy
      expect((await session.run('run', {})).y).toEqual(Float32Array.of(6, 8));
      const write = (params: Params): Promise<unknown> => Promise.resolve().then(() => session.write(params));
      await expect(write(values({ v: [1, 2, 3] }))).rejects.toEqual(code('E_PARAM_SHAPE'));
      await expect(write(values({ u: [1] }))).rejects.toEqual(code('E_PARAM_SHAPE'));
    });
  });

  test('shows every node the parameters from before the run', async () => {
    const graph = b.createGraph();
    const [v, w] = [vector(graph, 'v'), vector(graph, 'w')];
    const programs = { swap: { outputs: { y: b.sub(v, w) }, updates: [b.assign('v', w), b.assign('w', v)] } };
    await using(await compile(programs), async (session) => {
      await session.write(values({ v: [1, 2], w: [3, 5] }));
      expect((await session.run('swap', {})).y).toEqual(Float32Array.of(-2, -3));
      expect((await session.run('swap', {})).y).toEqual(Float32Array.of(2, 3));
      expect(await session.read()).toEqual(values({ v: [1, 2], w: [3, 5] }));
    });
  });
});

/** By the definition, in double precision. */
function slowConvolution(
  op: 'conv' | 'depthwise',
  x: Float32Array,
  [n, h, w, c]: Shape,
  filter: Float32Array,
  [kh, kw, , last]: Shape,
  { stride, dilation, padding: [[top, bottom], [left, right]] }: Ops['conv'],
): number[] {
  const rows = Math.floor((h! + top + bottom - (kh! - 1) * dilation - 1) / stride) + 1;
  const columns = Math.floor((w! + left + right - (kw! - 1) * dilation - 1) / stride) + 1;
  const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
  const pixel = (image: number, row: number, column: number, channel: number): number =>
    row < 0 || row >= h! || column < 0 || column >= w! ? 0 : x[((image * h! + row) * w! + column) * c! + channel]!;
  const at = (image: number, row: number, column: number, output: number): number => {
    let sum = 0;
    for (const i of range(kh!)) {
      for (const j of range(kw!)) {
        for (const channel of op === 'conv' ? range(c!) : [output]) {
          const weight = filter[((i * kw! + j) * c! + channel) * last! + (op === 'conv' ? output : 0)]!;
          sum +=
            weight * pixel(image, row * stride - top + i * dilation, column * stride - left + j * dilation, channel);
        }
      }
    }
    return sum;
  };
  return range(n!).flatMap((image) =>
    range(rows).flatMap((row) =>
      range(columns).flatMap((column) =>
        range(op === 'conv' ? last! : c!).map((output) => at(image, row, column, output)),
      ),
    ),
  );
}

describe('compileEager', () => {
  const tf = wasm.tf as typeof Tfjs;

  test('keeps the number of tensors from run to run, and leaves none', async () => {
    const before = tf.memory().numTensors;
    const programs = trainingStep();
    await using(await compileEager(programs, wasm), async (session) => {
      await session.write(initial(programs));
      const between = tf.memory().numTensors;
      for (const step of [0, 1]) {
        await session.run('train', stepFeeds(step));
        expect(tf.memory().numTensors).toBe(between);
      }
      await session.run('evaluate', { image: stepFeeds(0).image });
      await session.write(await session.read());
      expect(tf.memory().numTensors).toBe(between);
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  test('says which parameter was never written, and leaves no tensors behind', async () => {
    const graph = b.createGraph();
    const x = b.input(graph, 'x', [2]);
    const y = b.mul(b.exp(b.square(x)), vector(graph, 'w'));
    await using(await compileEager({ run: { outputs: { y } } }, wasm), async (session) => {
      const before = tf.memory().numTensors;
      await expect(session.run('run', { x: Float32Array.of(1, 2) })).rejects.toEqual(code('E_PARAM_UNSET'));
      await expect(session.read()).rejects.toEqual(code('E_PARAM_UNSET'));
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  test('leaves no tensors and no updates behind a kernel that throws', async () => {
    const graph = b.createGraph();
    const w = vector(graph, 'w');
    const y = b.exp(b.neg(b.square(w)));
    const broken = { ...tf, exp: () => { throw new Error('broken'); } } as typeof tf; // prettier-ignore
    const programs = { run: { outputs: { y }, updates: [b.assign('w', b.neg(w))] } };
    await using(await compileEager(programs, { ...wasm, tf: broken }), async (session) => {
      await session.write(values({ w: [1, 2] }));
      const before = tf.memory().numTensors;
      await expect(session.run('run', {})).rejects.toThrow('broken');
      expect(tf.memory().numTensors).toBe(before);
      expect(await session.read()).toEqual(values({ w: [1, 2] }));
    });
  });

  test('frees each tensor after its last reader', async () => {
    const graph = b.createGraph();
    let y = b.input(graph, 'x', [2]);
    for (let i = 0; i < 40; i++) y = b.neg(y);
    const alive: number[] = [];
    const counting: typeof tf = {
      ...tf,
      neg: (x) => {
        alive.push(tf.memory().numTensors);
        return tf.neg(x);
      },
    };
    await using(await compileEager({ run: { outputs: { y } } }, { ...wasm, tf: counting }), async (session) => {
      expect((await session.run('run', { x: Float32Array.of(1, -2) })).y).toEqual(Float32Array.of(1, -2));
    });
    expect(alive).toHaveLength(40);
    expect(new Set(alive).size).toBe(1);
  });

  test('returns a value under two names, and a fed one as it is', async () => {
    const graph = b.createGraph();
    const x = b.input(graph, 'x', [2]);
    const y = b.neg(x);
    await using(await compileEager({ run: { outputs: { x, y, z: y } } }, wasm), async (session) => {
      const given = Float32Array.of(1, 2);
      const results = await session.run('run', { x: given });
      expect(results).toEqual({ x: given, y: Float32Array.of(-1, -2), z: Float32Array.of(-1, -2) });
      expect(results.x).not.toBe(given);
    });
  });

  test('gives an infinite loss for a class that does not exist', async () => {
    const graph = b.createGraph();
    const loss = b.softmaxCrossEntropy(b.input(graph, 'logits', [2, 3]), b.input(graph, 'classes', [2], 'int32'));
    await using(await compileEager({ run: { outputs: { loss } } }, wasm), async (session) => {
      const results = await session.run('run', { logits: floats(6, 'logits'), classes: Int32Array.of(3, 1) });
      expect([...results.loss!].map(Number.isFinite)).toEqual([false, true]);
    });
  });

  test('runs on wasm when another engine became current meanwhile', async () => {
    const graph = b.createGraph();
    const y = b.square(b.input(graph, 'x', [2]));
    await using(await compileEager({ run: { outputs: { y } } }, wasm), async (session) => {
      tf.registerBackend('other', () => new tf.KernelBackend());
      await tf.setBackend('other');
      expect((await session.run('run', { x: Float32Array.of(2, 3) })).y).toEqual(Float32Array.of(4, 9));
      expect(tf.getBackend()).toBe('wasm');
    });
  });
});
