import { afterAll, describe, expect, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import { kernels } from '../../src/engine/eager/kernels.js';
import type { Feed, Feeds } from '../../src/engine/engine.js';
import { loadLiteRt } from '../../src/engine/litert/runtime.js';
import * as b from '../../src/graph/builder.js';
import { inputsOf, type Program, type Programs } from '../../src/graph/program.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { DType, Value } from '../../src/graph/spec.js';
import { randomStream } from '../../src/random.js';
import { emitTflite, whyNotTflite } from '../../src/tflite/emit.js';
import { encodeTflite } from '../../src/tflite/encode.js';
import { tfliteOps } from '../../src/tflite/ops.js';
import { exactOps } from '../graph/exactOps.js';
import { opCases, type OpCase } from '../graph/opCases.js';

/** Every op that TFLite has, in LiteRT: the same as on the portable engine, which test/engine and test/graph check. */

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const arrayOf = (dtype: DType, values: readonly number[]): Feed => new arrays[dtype](values);

/** How the operands of a case come. All but the first one are constants, as in networks, or every one is fed. */
const ways = ['fed', 'constant'] as const;
type Way = (typeof ways)[number];

interface Case {
  readonly label: string;
  readonly way: Way;
  readonly program: Program;
  readonly feeds: Readonly<Record<string, Feed>>;
}

function buildCase({ label, operands, build }: OpCase, way: Way): Case {
  const random = randomStream(1, label);
  const graph = b.createGraph();
  const drawn = operands.map(({ shape, draw }) => Array.from({ length: sizeOf(shape) }, (_, i) => draw(random, i)));
  const values = operands.map(({ shape, dtype }, i): Value => {
    const isConstant = way === 'constant' ? i > 0 : dtype === 'bool'; // programs feed no booleans
    return isConstant ? b.constant(graph, drawn[i]!, shape, dtype) : b.input(graph, `operand${i}`, shape, dtype);
  });
  const program = { outputs: { y: build(...values) } };
  const read = new Set(inputsOf(program).map(({ name }) => name));
  const feeds = operands.map(({ dtype }, i) => [`operand${i}`, arrayOf(dtype, drawn[i]!)] as const);
  return { label, way, program, feeds: Object.fromEntries(feeds.filter(([name]) => read.has(name))) };
}

/** Runs a program in LiteRT. */
async function run(program: Program, feeds: Feeds): Promise<ArrayLike<number>> {
  const runtime = await loadLiteRt();
  const model = await runtime.open(encodeTflite(emitTflite('program', program, new Map())));
  try {
    return (await model.run(model.inputs.map((name) => feeds[name]!)))[0]!;
  } finally {
    model.dispose();
  }
}

/** LiteRT computes no convolution whose filter is not a constant. */
const needsConstant = /^(conv|depthwise)/;
const cases = Object.values(opCases as Record<string, readonly OpCase[]>)
  .flat()
  .flatMap((opCase) => ways.map((way) => ({ opCase, way })))
  .filter(
    ({ opCase: { label }, way }) =>
      !/^cropAndResize|in training/.test(label) && !(way === 'fed' && needsConstant.test(label)),
  )
  .map(({ opCase, way }) => buildCase(opCase, way));
const programs: Programs = Object.fromEntries(cases.map(({ label, way, program }) => [`${label} ${way}`, program]));

const portable = await compile(programs, await openBackend({ engine: 'wasm' }));
afterAll(() => {
  portable.dispose();
});

/** Largest |a − b| / (1 + |b|). */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(b, (value, i) => Math.abs(a[i]! - value) / (1 + Math.abs(value))));

describe.each(ways)('with operands that are %s, LiteRT computes as the portable engine:', (way) => {
  for (const { label, feeds, program } of cases.filter((opCase) => opCase.way === way)) {
    test(label, async () => {
      const [ours, theirs] = [await run(program, feeds), await portable.run(`${label} ${way}`, feeds)];
      expect(ours).toHaveLength(theirs.y!.length);
      expect(distance(ours, theirs.y!)).toBeLessThan(1e-5);
    });
  }
});

describe('the ops that have no gradient give the expected results:', () => {
  test.each(exactOps.map((one, i) => [`${one[0]} ${i}`, one] as const))('%s', async (_, [, build, expected]) => {
    const y = build(b.createGraph());
    // A bool is no element type of an exchange; and LiteRT does not return what it computes of constants while it loads.
    const shown = b.reshape(y.dtype === 'bool' ? b.cast(y, 'float32') : y, y.shape);
    const found = await run({ outputs: { y: shown } }, {});
    expect(Array.from(found)).toEqual(expected.map((value) => expect.closeTo(value, 6)));
  });
});

describe('what TFLite cannot hold', () => {
  test('every op has a rule', () => {
    expect(Object.keys(tfliteOps).sort()).toEqual(Object.keys(kernels).sort());
  });
  const graph = b.createGraph();
  const x = b.input(graph, 'x', [1, 2, 2, 1]);
  const vectors = [0, 1, 2, 3].map(() => b.constant(graph, [1], [1])) as [Value, Value, Value, Value];
  const index = b.constant(graph, [0], [1], 'int32');
  const refused = {
    assign: b.assign('w', x),
    batchNorm: b.batchNorm([x, ...vectors], { training: true, epsilon: 1e-3, momentum: 0.1 })[0]!,
    cropAndResize: b.cropAndResize(x, b.constant(graph, [0, 0, 1, 1], [1, 4]), index, [2, 2]),
    reluGrad: b.addNode(graph, 'reluGrad', [x, x], {})[0]!,
  };
  test.each(Object.entries(refused))('%s is refused with the name of the program', (op, y) => {
    const obstacle = whyNotTflite({ good: { outputs: { x } }, wrong: { outputs: { y } } });
    expect(whyNotTflite({ good: { outputs: { x } } })).toBeUndefined();
    expect(obstacle).toMatchObject({ code: 'E_TFLITE_OP', message: expect.stringMatching(`"wrong".*${op}`) });
  });
});
