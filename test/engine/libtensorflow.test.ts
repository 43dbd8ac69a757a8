import { describe, expect, test } from '@jest/globals';
import { openBackend, type CompiledBackend } from '../../src/engine/backend.js';
import { configProto } from '../../src/engine/libtensorflow/config.js';
import { loadTensorFlow } from '../../src/engine/libtensorflow/library.js';
import { openRunner } from '../../src/engine/libtensorflow/runner.js';
import { compileSession } from '../../src/engine/libtensorflow/session.js';
import * as b from '../../src/graph/builder.js';
import { openEngines } from '../engines.js';

const hasTensorflow = (await openEngines()).some(({ name }) => name === 'tensorflow');
const open = async () => (await openBackend({ engine: 'tensorflow' })) as CompiledBackend;
const at = (values: Readonly<Record<string, number>>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, { shape: [1], data: Float32Array.of(value) }]));

/** y = x + w, and w grows by x; `pick` reads the row of a table that an index names. */
function programs() {
  const graph = b.createGraph();
  const w = b.param(graph, { name: 'w', shape: [1], role: 'weight', kind: 'vector', init: { type: 'constant', value: 0 } }); // prettier-ignore
  const y = b.add(b.input(graph, 'x', [1]), w);
  const other = b.createGraph();
  const rows = b.gather(b.input(other, 'table', [1, 2, 1]), b.input(other, 'index', [1, 1], 'int32'));
  return { grow: { outputs: { y }, updates: [b.assign('w', y)] }, pick: { outputs: { rows } } };
}

(hasTensorflow ? describe : describe.skip)('a session of libtensorflow', () => {
  test('makes calls in their order, with the values that arrays had when they were fed', async () => {
    const session = await compileSession(programs(), await open());
    const x = Float32Array.of(1);
    const start = at({ w: 10 });
    const written = session.write(start);
    start.get('w')!.data.fill(-1);
    const first = session.run('grow', { x });
    x.fill(5);
    const second = session.run('grow', { x });
    expect([await first, await second]).toEqual([{ y: Float32Array.of(11) }, { y: Float32Array.of(16) }]);
    await written;
    expect(await session.read()).toEqual(at({ w: 16 }));
    expect(await session.read([])).toEqual(new Map()); // TensorFlow itself refuses to fetch nothing
    session.dispose();
  });

  test('throws the message of a failed call, and goes on', async () => {
    const session = await compileSession(programs(), await open());
    const table = Float32Array.of(7, 8);
    await expect(session.run('pick', { table, index: Int32Array.of(5) })).rejects.toMatchObject({
      code: 'E_TENSORFLOW',
      message: expect.stringMatching(/indices.* = 5 is not in \[0, 2\)/) as unknown as string,
    });
    const unset = session.run('grow', { x: Float32Array.of(1) }); // w has no value
    await expect(unset).rejects.toMatchObject({ code: 'E_TENSORFLOW' });
    expect(await session.run('pick', { table, index: Int32Array.of(1) })).toEqual({ rows: Float32Array.of(8) });
    session.dispose();
  });

  test('ends the calls that run before it frees its memory', async () => {
    const session = await compileSession(programs(), await open());
    const result = session.run('pick', { table: Float32Array.of(7, 8), index: Int32Array.of(0) });
    session.dispose();
    expect(await result).toEqual({ rows: Float32Array.of(7) });
  });

  test('has as many threads as it is told', async () => {
    const backend = (await openBackend({ engine: 'tensorflow', threads: 1 })) as CompiledBackend;
    expect(backend).toMatchObject({ threads: 1, config: { threads: 1, gpu: false } });
    const session = await compileSession(programs(), backend);
    const fed = { table: Float32Array.of(7, 8), index: Int32Array.of(0) };
    expect(await session.run('pick', fed)).toEqual({ rows: Float32Array.of(7) });
    session.dispose();
  });

  test('refuses bytes that are no GraphDef', async () => {
    const { tensorflow, config } = await open();
    await expect(openRunner(tensorflow, Uint8Array.of(1, 2, 3), config)).rejects.toMatchObject({
      code: 'E_TENSORFLOW',
    });
  });
});

test('a library that cannot be loaded is an error with the reason of the loader', () => {
  expect(() => loadTensorFlow('/nowhere/libtensorflow.so')).toThrow(/nowhere\/libtensorflow\.so/);
});

test('the configuration of a session says which devices and how many threads it has', () => {
  const shared = [0x38, 1, 0x52, 2, 0x30, 1]; // allow_soft_placement, place_pruned_graph
  expect([...configProto({ gpu: true })]).toEqual([0x32, 2, 0x20, 1, ...shared]);
  const noGpu = [0x0a, 7, 0x0a, 3, ...Buffer.from('GPU'), 0x10, 0];
  expect([...configProto({ gpu: false, threads: 3 })]).toEqual([...noGpu, 0x10, 3, 0x28, 3, 0x48, 1, ...shared]);
});
