import { expect, test } from '@jest/globals';
import * as b from '../../src/graph/builder.js';
import { openEngines } from '../engines.js';

const COUNT = 20_000;
const graph = b.createGraph();
const seed = b.input(graph, 'seed', [2], 'int32');
const programs = {
  draw: { outputs: { first: b.randomUniform(seed, [COUNT], 0), second: b.randomUniform(seed, [COUNT / 4, 4], 1) } },
};

const engines = await openEngines();
test.each(engines.map(({ name, compile }) => [name, compile] as const))(
  '%s draws uniform numbers that the fed seed and the stream alone decide',
  async (_, compile) => {
    const session = await compile(programs);
    const draw = (...words: [number, number]) => session.run('draw', { seed: Int32Array.from(words) });
    const { first, second } = await draw(7, 1);
    const again = await draw(7, 1);
    expect([again.first, again.second]).toEqual([first, second]);
    expect(first).not.toEqual(second);
    for (const words of [[7, 2], [8, 1], [-7, 1]] as [number, number][]) expect((await draw(...words)).first).not.toEqual(first); // prettier-ignore
    for (const values of [first!, second!]) {
      const mean = values.reduce((sum, value) => sum + value, 0) / COUNT;
      const square = values.reduce((sum, value) => sum + value * value, 0) / COUNT;
      const next = values.reduce((sum, value, i) => sum + value * values[(i + 1) % COUNT]!, 0) / COUNT;
      // The standard deviations of these means are 0.0020, 0.0021 and 0.0016; the limits are five of them.
      expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.01);
      expect(Math.abs(square - 1 / 3)).toBeLessThan(0.011);
      expect(Math.abs(next - 1 / 4)).toBeLessThan(0.011);
      expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    }
    session.dispose();
  },
);
