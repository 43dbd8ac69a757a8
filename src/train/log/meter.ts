import type { Results } from '../../engine/engine.js';
import type { StepLine } from './record.js';

/** Pairs each item of a sequence with the milliseconds that its reader waited for it. */
export async function* withWaiting<T>(
  items: AsyncIterable<T>,
): AsyncGenerator<{ readonly item: T; readonly waited: number }, void, undefined> {
  let asked = performance.now();
  for await (const item of items) {
    yield { item, waited: performance.now() - asked };
    asked = performance.now();
  }
}

/** Averages the steps of one line of metrics.jsonl. */
export function startMeter() {
  const sums = new Map<string, number>();
  let steps = 0;
  let waited = 0;
  let elapsed = 0;
  return {
    /** Adds a step: the milliseconds that it waited for its data, and those that it took in all. */
    add(results: Results, waiting: number, taken: number): void {
      steps++;
      waited += waiting;
      elapsed += taken;
      for (const [name, [value]] of Object.entries(results)) sums.set(name, (sums.get(name) ?? 0) + value!);
    },
    read(batch: number): Pick<StepLine, 'loss' | 'parts' | 'gradientNorm' | 'imagesPerSecond' | 'waiting'> {
      const { loss, gradientNorm, ...parts } = Object.fromEntries([...sums].map(([name, sum]) => [name, sum / steps]));
      return {
        loss: loss!,
        parts,
        gradientNorm: gradientNorm!,
        imagesPerSecond: (steps * batch * 1000) / elapsed,
        waiting: waited / elapsed,
      };
    },
  };
}
