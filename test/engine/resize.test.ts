import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import type { Programs } from '../../src/graph/program.js';
import * as b from '../../src/graph/builder.js';
import type { Interpolation, Shape } from '../../src/graph/spec.js';
import { openInferenceEngines } from '../engines.js';

interface Fixture {
  readonly shape: Shape;
  readonly x: readonly number[];
  readonly cases: readonly {
    readonly method: Interpolation;
    readonly size: readonly [number, number];
    readonly y: readonly number[];
  }[];
}

const file = new URL('../fixtures/resize/resize.json', import.meta.url);
const { shape, x, cases } = JSON.parse(await readFile(file, 'utf8')) as Fixture;
const engines = await openInferenceEngines();

describe.each(engines)("resize on $name equals PyTorch's interpolate", ({ compile }) => {
  test.each(cases)('$method to $size', async ({ method, size, y }) => {
    const graph = b.createGraph();
    const programs: Programs = { run: { outputs: { y: b.resize(b.input(graph, 'x', shape), size, method) } } };
    const session = await compile(programs);
    const computed = (await session.run('run', { x: Float32Array.from(x) })).y!;
    session.dispose();
    expect(Math.max(...y.map((value, i) => Math.abs(value - computed[i]!)))).toBeLessThan(1e-5);
  });
});
