import { afterAll, describe, expect, test } from '@jest/globals';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import { kernels } from '../../src/engine/eager/kernels.js';
import type { Feed, Session } from '../../src/engine/engine.js';
import { compileOnnx } from '../../src/engine/onnxRuntime/session.js';
import * as b from '../../src/graph/builder.js';
import { inputsOf, type Program, type Programs } from '../../src/graph/program.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { DType, Value } from '../../src/graph/spec.js';
import { checkOnnx, whyNotOnnx } from '../../src/onnx/emit.js';
import { onnxOps } from '../../src/onnx/ops.js';
import { randomStream } from '../../src/random.js';
import { exactOps } from '../graph/exactOps.js';
import { opCases, type OpCase } from '../graph/opCases.js';

/** Every op that has a meaning without training, on ONNX Runtime: the same as on the portable engine, which test/engine
 *  and test/graph check. */

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const arrayOf = (dtype: DType, values: readonly number[]): Feed => new arrays[dtype](values);

/** How the operands of a case come: fed, as constants, or as images whose channels stand first in the ONNX model. */
const ways = ['fed', 'constant', 'image'] as const;
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
    if (way === 'constant') return b.constant(graph, drawn[i]!, shape, dtype);
    const x = b.input(graph, `operand${i}`, shape, dtype);
    const isImage = way === 'image' && shape.length === 4 && dtype === 'float32';
    return isImage ? b.maxPool(x, { kernel: [1, 1], stride: 1, padding: [[0, 0], [0, 0]] }) : x; // prettier-ignore
  });
  const program = { outputs: { y: build(...values) } };
  const read = new Set(inputsOf(program).map(({ name }) => name));
  const feeds = operands.map(({ dtype }, i) => [`operand${i}`, arrayOf(dtype, drawn[i]!)] as const);
  return { label, way, program, feeds: Object.fromEntries(feeds.filter(([name]) => read.has(name))) };
}

const cases = Object.values(opCases as Record<string, readonly OpCase[]>)
  .flat()
  .filter(({ label }) => label !== 'batchNorm in training')
  .flatMap((opCase) => ways.map((way) => buildCase(opCase, way)))
  .filter(({ way, program }) => way !== 'image' || [...inputsOf(program)].some(({ shape }) => shape.length === 4));
const programs: Programs = Object.fromEntries(cases.map(({ label, way, program }) => [`${label} ${way}`, program]));

const [portable, onnx] = [
  await compile(programs, await openBackend({ engine: 'wasm' })),
  await compileOnnx(programs, new Map(), { threads: 1 }),
] as const;
afterAll(() => {
  portable.dispose();
  onnx.dispose();
});

/** Largest |a − b| / (1 + |b|). */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(b, (value, i) => Math.abs(a[i]! - value) / (1 + Math.abs(value))));

describe.each(ways)('with operands that are %s, ONNX Runtime computes as the portable engine:', (way) => {
  for (const { label, feeds } of cases.filter((opCase) => opCase.way === way)) {
    test(label, async () => {
      const [ours, theirs] = await Promise.all([onnx, portable].map((each) => each.run(`${label} ${way}`, feeds)));
      expect(ours!.y).toHaveLength(theirs!.y!.length);
      expect(distance(ours!.y!, theirs!.y!)).toBeLessThan(1e-5);
    });
  }
});

describe('the ops that have no gradient', () => {
  const exact: Programs = Object.fromEntries(
    exactOps.map(([op, build], i) => [`${op}.${i}`, { outputs: { y: build(b.createGraph()) } }]),
  );
  let session: Session;
  afterAll(() => {
    session.dispose();
  });
  test('give the expected results', async () => {
    session = await compileOnnx(exact, new Map(), { threads: 1 });
    for (const [i, [op, , expected]] of exactOps.entries()) {
      const { y } = await session.run(`${op}.${i}`, {});
      expect([op, [...y!]]).toEqual([op, expected.map((value) => expect.closeTo(value, 6))]);
    }
  });
});

describe('what ONNX cannot hold', () => {
  test('every op has a rule', () => {
    expect(Object.keys(onnxOps).sort()).toEqual(Object.keys(kernels).sort());
  });
  const graph = b.createGraph();
  const x = b.input(graph, 'x', [1, 2, 2, 1]);
  const vectors = [0, 1, 2, 3].map(() => b.constant(graph, [1], [1])) as [Value, Value, Value, Value];
  const refused = {
    assign: b.assign('w', x),
    randomUniform: b.randomUniform(b.input(graph, 'seed', [2], 'int32'), [2], 0),
    batchNorm: b.batchNorm([x, ...vectors], { training: true, epsilon: 1e-3, momentum: 0.1 })[0]!,
    reluGrad: b.addNode(graph, 'reluGrad', [x, x], {})[0]!,
  };
  test.each(Object.entries(refused))('%s is refused with the name of the program', (op, y) => {
    const check = (): void => {
      checkOnnx({ good: { outputs: { x } }, wrong: { outputs: { y } } });
    };
    expect(check).toThrow(expect.objectContaining({ code: 'E_ONNX_OP' }));
    expect(whyNotOnnx({ good: { outputs: { x } } })).toBeUndefined();
    expect(check).toThrow(new RegExp(`"wrong": ${op}`));
  });
});
