import { afterEach, expect, test } from '@jest/globals';
import type { Session } from '../../../src/engine/engine.js';
import { loadOnnxRuntime } from '../../../src/engine/onnxRuntime/runtime.js';
import { compileOnnx } from '../../../src/engine/onnxRuntime/session.js';
import * as b from '../../../src/graph/builder.js';
import type { Param, Params } from '../../../src/graph/params.js';
import type { Programs } from '../../../src/graph/program.js';
import type { Graph, Value } from '../../../src/graph/spec.js';

const vector = (graph: Graph, name: string): Value =>
  b.param(graph, { name, role: 'weight', kind: 'vector', init: { type: 'constant', value: 0 }, shape: [2] });
const values = (entries: Readonly<Record<string, readonly number[]>>): Params =>
  new Map(
    Object.entries(entries).map(([name, data]): [string, Param] => [
      name,
      { shape: [data.length], data: Float32Array.from(data) },
    ]),
  );
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

/** Two programs that share the parameter v. */
function twoPrograms(): Programs {
  const graph = b.createGraph();
  const [x, v, w] = [b.input(graph, 'x', [2]), vector(graph, 'v'), vector(graph, 'w')];
  return { sum: { outputs: { y: b.add(b.add(x, v), w), x } }, product: { outputs: { y: b.mul(x, v), same: x } } };
}
const x = Float32Array.of(1, 2);

let session: Session;
afterEach(() => {
  session.dispose();
});

test('computes with the values that were written last', async () => {
  const given = values({ v: [1, 2], w: [3, 4] });
  session = await compileOnnx(twoPrograms(), given, { threads: 1 });
  given.get('v')!.data.fill(9); // the session must have copied the values
  expect(await session.run('sum', { x })).toEqual({ y: Float32Array.of(5, 8), x });
  expect((await session.run('product', { x })).y).toEqual(Float32Array.of(1, 4));

  // Several runs at once, which were started before the values are written.
  const before = [session.run('sum', { x }), session.run('product', { x }), session.run('sum', { x })];
  await session.write(values({ v: [10, 20] }));
  expect((await Promise.all(before)).map(({ y }) => y)).toEqual(
    [
      [5, 8],
      [1, 4],
      [5, 8],
    ].map((y) => Float32Array.from(y)),
  );
  expect((await session.run('sum', { x })).y).toEqual(Float32Array.of(14, 26));
  expect(await session.run('product', { x })).toEqual({ y: Float32Array.of(10, 40), same: x });

  (await session.read()).get('v')!.data.fill(9); // the reader must have got a copy
  expect(await session.read(['w', 'v'])).toEqual(values({ w: [3, 4], v: [10, 20] }));
});

test('refuses feeds and values that do not fit, and says which parameter has none', async () => {
  session = await compileOnnx(twoPrograms(), values({ v: [1, 2] }), { threads: 1 });
  await expect(session.run('sum', {})).rejects.toEqual(code('E_FEED'));
  await expect(session.run('sum', { x: Int32Array.of(1, 2) })).rejects.toEqual(code('E_FEED'));
  await expect(session.run('sum', { x })).rejects.toEqual(code('E_PARAM_UNSET'));
  await expect(session.read()).rejects.toEqual(code('E_PARAM_UNSET'));
  await expect(session.write(values({ v: [1, 2, 3] }))).rejects.toEqual(code('E_PARAM_SHAPE'));
  await expect(session.write(values({ u: [1, 2] }))).rejects.toEqual(code('E_PARAM_SHAPE'));
  expect((await session.run('product', { x })).y).toEqual(Float32Array.of(1, 4));
});

test('refuses programs that train before it loads anything', async () => {
  const graph = b.createGraph();
  const w = vector(graph, 'w');
  const training = { train: { outputs: { w }, updates: [b.assign('w', b.neg(w))] } };
  await expect(compileOnnx(training)).rejects.toEqual(code('E_ONNX_OP'));
});

test('an error of the runtime names the program, and the session goes on', async () => {
  const graph = b.createGraph();
  const loss = b.softmaxCrossEntropy(b.input(graph, 'logits', [1, 2]), b.input(graph, 'classes', [1], 'int32'));
  session = await compileOnnx({ loss: { outputs: { loss } } }, new Map(), { threads: 1 });
  const run = (kind: number): ReturnType<Session['run']> =>
    session.run('loss', { logits: Float32Array.of(1000, 0), classes: Int32Array.of(kind) });
  await expect(run(7)).rejects.toEqual(code('E_ONNX_RUNTIME'));
  await expect(run(7)).rejects.toThrow('program "loss"');
  expect((await run(0)).loss).toHaveLength(1);
  const runtime = await loadOnnxRuntime();
  await expect(runtime.open(Uint8Array.of(1, 2, 3))).rejects.toEqual(code('E_ONNX_RUNTIME'));
});
