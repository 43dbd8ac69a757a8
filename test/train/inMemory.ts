import type { WorkersMean } from '../../src/engine/engine.js';

/** The means of workers that are all in this process: one function for each. They sum in the order of the workers. */
export function meansInMemory(count: number): WorkersMean[] {
  const rounds: { values: Float32Array; done: (mean: Float32Array) => void }[][] = [];
  const called = Array.from({ length: count }, () => 0);
  return called.map((_, rank) => (values) => {
    const round = (rounds[called[rank]!++] ??= []);
    return new Promise((done) => {
      round[rank] = { values, done };
      if (round.filter(Boolean).length < count) return;
      const sum = new Float32Array(values.length);
      for (const own of round) for (const [i, value] of own.values.entries()) sum[i]! += value;
      for (const own of round) own.done(sum.map((value) => value / count));
    });
  });
}
