import type { WorkersMean } from '../../src/engine/engine.js';
import { meanOf } from '../../src/workers/workers.js';

/** The means of workers that are all in this process: one function for each. They sum in the order of the workers. */
export function meansInMemory(count: number): WorkersMean[] {
  const rounds: { parts: readonly Float32Array[]; done: (mean: Float32Array) => void }[][] = [];
  const called = Array.from({ length: count }, () => 0);
  return called.map((_, rank) => (parts) => {
    const round = (rounds[called[rank]!++] ??= []);
    return new Promise((done) => {
      round[rank] = { parts, done };
      if (round.filter(Boolean).length < count) return;
      const mean = meanOf(round.flatMap((own) => own.parts));
      for (const own of round) own.done(mean.slice());
    });
  });
}
