import type { Results } from '../engine/engine.js';
import type { StepLine } from './record.js';

export type Meter = ReturnType<typeof startMeter>;

/** Gathers the steps of one line of metrics.jsonl. */
export function startMeter() {
  const sums = new Map<string, number>();
  let steps = 0;
  let waited = 0;
  let elapsed = 0;
  return {
    /** Milliseconds that the step waited for its data, and that it took with the waiting. */
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
