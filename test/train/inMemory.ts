import type { WorkersMean } from '../../src/engine/engine.js';
import { average } from '../../src/workers/workers.js';

/** The means of workers that are all in this process: one function for each. They sum in the order of the workers. */
export function meansInMemory(count: number): WorkersMean[] {
  const rounds: { parts: readonly Float32Array[]; mean: Float32Array; done: () => void }[][] = [];
  const called = Array.from({ length: count }, () => 0);
  return called.map((_, rank) => (parts, mean) => {
    const round = (rounds[called[rank]!++] ??= []);
    return new Promise((done) => {
      round[rank] = { parts, mean, done };
      if (round.filter(Boolean).length < count) return;
      const all = round.flatMap((own) => own.parts);
      for (const own of round) average(all, own.mean);
      for (const own of round) own.done();
    });
  });
}
