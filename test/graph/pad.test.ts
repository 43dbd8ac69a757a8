import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import type { Feeds, Session } from '../../src/engine/engine.js';
import { parametersOf, type Programs } from '../../src/graph/program.js';
import { compilePadded } from '../../src/engine/padded.js';
import { activate, batchNorm, conv, depthwise, linear, type Context } from '../../src/graph/blocks.js';
import * as b from '../../src/graph/builder.js';
import { isOp } from '../../src/graph/builder.js';
import { concatRuns, fullLength, realLength, sliceRuns } from '../../src/graph/pad/runs.js';
import { gradients } from '../../src/graph/grad.js';
import { initialValues } from '../../src/graph/init.js';
import type { Params } from '../../src/graph/params.js';
import type { Value } from '../../src/graph/spec.js';
import { paramAttrs } from '../../src/graph/slots.js';
import { addToFirst } from '../../src/models/backbones/rexnet.js';
import { squeezeExcite } from '../../src/models/backbones/squeezeExcite.js';
import { randomStream } from '../../src/random.js';
import { openEngines } from '../engines.js';
import { nesterovStep } from './nesterov.js';

const BATCH = 3;
const SIDE = 6;
const CLASSES = 5;
const engines = await openEngines();

type Layer = (x: Value, path: string, at: Context) => Value;
/** A convolution with its BatchNorm: what padding is for. */
const unit =
  (channels: number, activation: 'swish' | 'relu6' | 'hardSwish' | 'none' = 'swish'): Layer =>
  (x, path, at) =>
    activate(batchNorm(conv(x, `${path}.conv`, at, { channels }), `${path}.bn`, at), activation);

/** The ways in which networks put channels together. */
const layers: Record<string, Layer> = {
  unit: unit(19),
  'unit of a whole block': unit(32),
  depthwise: (x, path, at) =>
    activate(batchNorm(depthwise(x, `${path}.dw`, at, { stride: 1 }), `${path}.bn`, at), 'relu6'),
  'depthwise of a 3×3': (x, path, at) =>
    batchNorm(depthwise(unit(21)(x, `${path}.a`, at), `${path}.dw`, at, { kernel: 3 }), `${path}.bn`, at),
  'squeeze-excite': (x, path, at) =>
    squeezeExcite(unit(27)(x, `${path}.a`, at), `${path}.se`, at, { reduced: 17, norm: 'bn' }),
  'squeeze-excite, hard': (x, path, at) =>
    squeezeExcite(x, `${path}.se`, at, { reduced: 6, activation: 'swish', gate: 'hardSigmoid' }),
  'sum with itself': (x, path, at) => b.add(x, unit(x.shape[3]!, 'none')(x, path, at)),
  'sum of a padded and a bare branch': (x, path, at) => {
    const grouped = conv(unit(18)(x, `${path}.a`, at), `${path}.g`, at, { channels: 18, groups: 3, kernel: 3 });
    return b.add(grouped, unit(18, 'hardSwish')(x, `${path}.b`, at));
  },
  'partial residual': (x, path, at) => addToFirst(unit(x.shape[3]! + 11, 'none')(x, path, at), x),
  'concatenation': (x, path, at) =>
    b.concat([unit(17)(x, `${path}.a`, at), x, unit(20)(x, `${path}.b`, at)], 3),
  'two halves': (x, path, at) => {
    const y = unit(38)(x, path, at);
    const half = (i: number): Value => b.slice(y, [0, 0, 0, 19 * i], [BATCH, SIDE, SIDE, 19]);
    return b.concat([unit(19)(half(0), `${path}.left`, at), half(1)], 3);
  },
  'shared filter': (x, path, at) => {
    const twice = (y: Value): Value => activate(conv(y, `${path}.shared`, at, { channels: 19, bias: true }), 'relu');
    return b.add(twice(unit(23)(x, `${path}.a`, at)), twice(unit(23)(x, `${path}.b`, at)));
  },
  'pools': (x, path, at) => {
    const y = unit(25)(x, path, at);
    const padding = [[1, 1], [1, 1]] as const; // prettier-ignore
    return b.add(b.maxPool(y, { kernel: [3, 3], stride: 1, padding }), b.resize(b.averagePool(y, { kernel: [2, 2], stride: 2 }), [SIDE, SIDE], 'bilinear')); // prettier-ignore
  },
  'channels dealt out': (x, path, at) => {
    const y = unit(22)(x, path, at);
    return b.reshape(b.transpose(b.reshape(y, [BATCH * SIDE * SIDE, 2, 11]), [0, 2, 1]), y.shape);
  },
  'a leak and a division': (x, path, at) => {
    const y = activate(unit(19, 'none')(x, path, at), 'leakyRelu');
    return b.div(y, b.add(b.square(y), 1));
  },
}; // prettier-ignore

interface Net {
  readonly programs: Programs;
  readonly params: Params;
  readonly feeds: Feeds;
}

/** A classifier of these layers with a step of training, an evaluation and its gradients as programs. */
function buildNet(names: readonly string[]): Net {
  const logitsOf = (training: boolean): Value => {
    const graph = b.createGraph();
    const style = { padding: 'symmetric', epsilon: 1e-3, momentum: 0.1 } as const;
    const at: Context = { graph, style, trainBatchNorm: () => training };
    let x = b.input(graph, 'image', [BATCH, SIDE, SIDE, 3]);
    for (const [i, name] of ['unit', ...names].entries()) x = layers[name]!(x, `layer${i}`, at);
    return linear(b.reshape(b.globalAveragePool(x), [BATCH, x.shape[3]!]), 'fc', at, { units: CLASSES });
  };
  const logits = logitsOf(true);
  const { graph } = logits.node;
  const loss = b.sum(b.softmaxCrossEntropy(logits, b.input(graph, 'labels', [BATCH], 'int32')));
  const trained = graph.nodes.flatMap((node) =>
    isOp(node, 'param') && !['mean', 'variance'].includes(node.attrs.role) ? [node.outputs[0]!] : [],
  );
  const found = gradients(loss, trained);
  const outputs = Object.fromEntries(trained.map((value, i) => [paramAttrs(value).name, found[i]!]));
  const { updates, gradientNorm } = nesterovStep(loss, trained);
  const programs = {
    gradients: { outputs: { ...outputs, loss, logits } },
    train: { outputs: { loss, gradientNorm }, updates },
    evaluate: { outputs: { logits: logitsOf(false) } },
  };
  const params = new Map([...parametersOf(programs)].map(([name, attrs]) => [name, initialValues(attrs, 1)]));
  const random = randomStream(1, 'pad');
  const image = Float32Array.from({ length: BATCH * SIDE * SIDE * 3 }, () => random.normal());
  return { programs, params, feeds: { image, labels: Int32Array.of(0, 3, 1), lr: Float32Array.of(0.05) } };
}

/** ‖a − b‖ / (‖b‖ + 1e-3·√n). */
function distance(a: Float32Array, c: Float32Array): number {
  let [difference, size] = [0, 0];
  for (const [i, value] of c.entries()) [difference, size] = [difference + (a[i]! - value) ** 2, size + value ** 2];
  return Math.sqrt(difference) / (Math.sqrt(size) + 1e-3 * Math.sqrt(c.length));
}

function expectClose(ours: ReadonlyMap<string, Float32Array>, theirs: ReadonlyMap<string, Float32Array>): void {
  expect([...ours.keys()]).toEqual([...theirs.keys()]);
  const wrong = [...theirs].map(([name, values]) => [name, distance(ours.get(name)!, values)] as const).filter(([, d]) => !(d < 1e-3)); // prettier-ignore
  expect(wrong).toEqual([]);
}
const valuesOf = (params: Params): Map<string, Float32Array> => new Map([...params].map(([name, { data }]) => [name, data])); // prettier-ignore

/** Trains both for two steps and compares everything that can be read on the way. Returns how many values the padding added to the parameters. */
async function compare({ programs, params, feeds }: Net, compile: (programs: Programs) => Promise<Session>): Promise<number> {
  let inner: Session | undefined;
  const bare = await compile(programs);
  const padded = await compilePadded(programs, new Map(), async (rewritten) => (inner = await compile(rewritten)));
  const sessions = [padded, bare] as const;
  const { lr, ...batch } = feeds;
  const both = async (name: string, fed: Feeds): Promise<void> => {
    const [ours, theirs] = await Promise.all(sessions.map((session) => session.run(name, fed)));
    expectClose(new Map(Object.entries(ours!)), new Map(Object.entries(theirs!)));
  };
  try {
    for (const session of sessions) await session.write(params);
    expect(valuesOf(await padded.read())).toEqual(valuesOf(params)); // the padded session returns the values that were written
    await both('gradients', batch);
    for (let step = 0; step < 2; step++) await both('train', { ...batch, lr: lr! });
    const [ours, theirs] = [await padded.read(), await bare.read()];
    expectClose(valuesOf(ours), valuesOf(theirs));
    for (const [name, { shape }] of theirs) expect([name, ours.get(name)!.shape]).toEqual([name, shape]);
    await both('evaluate', { image: feeds.image! });
    const whole = await inner!.read();
    let added = 0;
    for (const [name, { data }] of whole) {
      const real = ours.get(name)!.data;
      expect([name, data.filter((value) => value !== 0).length]).toEqual([name, real.filter((value) => value !== 0).length]); // the padding is still zero after two steps
      added += data.length - real.length;
    }
    return added;
  } finally {
    for (const session of sessions) session.dispose();
  }
} // prettier-ignore

const [wasm, tensorflow] = (['wasm', 'tensorflow'] as const).map((name) =>
  engines.find((engine) => engine.name === name),
);

describe('with padded channels', () => {
  test.each(Object.keys(layers))('%s: the same outputs, gradients, statistics and updates', async (name) => {
    expect(await compare(buildNet([name, 'unit']), wasm!.compile)).toBeGreaterThan(0);
  });

  test('layers in any order', async () => {
    const order = fc.array(fc.constantFrom(...Object.keys(layers)), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(order, async (names) => {
        await compare(buildNet(names), wasm!.compile);
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  (tensorflow ? test : test.skip)(
    'all layers on tensorflow',
    async () => {
      expect(await compare(buildNet(Object.keys(layers)), tensorflow!.compile)).toBeGreaterThan(0);
    },
    60_000,
  );
});

describe('runs of channels', () => {
  test('a concatenation of bare axes is one', () => {
    expect(concatRuns([[4, 0], [4, 0], [3, 5]])).toEqual([11, 5]); // prettier-ignore
    expect(concatRuns([[27, 5], [38, 10]])).toEqual([27, 5, 38, 10]); // prettier-ignore
  });

  test('a slice keeps the zeros behind it', () => {
    expect(sliceRuns([27, 5, 38, 10], 0, 27)).toEqual({ begin: 0, runs: [27, 5] });
    expect(sliceRuns([27, 5, 38, 10], 20, 10)).toEqual({ begin: 20, runs: [7, 5, 3, 0] });
    expect(sliceRuns([27, 5, 38, 10], 27, 38)).toEqual({ begin: 32, runs: [38, 10] });
  });

  test('a slice has as many real channels as asked for, in any layout', () => {
    const runs = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { minLength: 1, maxLength: 4 }).map((parts) => parts.flat());
    fc.assert(
      fc.property(runs, fc.nat(), fc.nat(), (layout, a, c) => {
        const length = realLength(layout);
        const begin = a % (length + 1);
        const size = c % (length - begin + 1);
        const cut = sliceRuns(layout, begin, size);
        expect(realLength(cut.runs)).toBe(size);
        expect(cut.begin + fullLength(cut.runs)).toBeLessThanOrEqual(fullLength(layout));
      }),
    );
  });
});
