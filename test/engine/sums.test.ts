import { expect, test } from '@jest/globals';
import * as b from '../../src/graph/builder.js';
import { randomStream } from '../../src/random.js';
import { openEngines } from '../engines.js';

const TERMS = 100;
const graph = b.createGraph();
const x = b.input(graph, 'x', [TERMS, 2]);
const terms = Array.from({ length: TERMS }, (_, i) => b.square(b.slice(x, [i, 0], [1, 2])));
const programs = { add: { outputs: { total: terms.reduce((total, term) => b.add(total, term)) } } };

const engines = await openEngines();
test.each(engines.map(({ name, compile }) => [name, compile] as const))(
  '%s adds the terms of a long sum in their order',
  async (_, compile) => {
    const session = await compile(programs);
    const random = randomStream(1, 'sums');
    const values = Float32Array.from({ length: TERMS * 2 }, () => random.uniform(0.001, 1) ** 4);
    const expected = [0, 1].map((column) =>
      Array.from({ length: TERMS }, (_, i) => Math.fround(values[2 * i + column]! ** 2)).reduce((total, term) =>
        Math.fround(total + term),
      ),
    );
    expect([...(await session.run('add', { x: values })).total!]).toEqual(expected);
    session.dispose();
  },
);
