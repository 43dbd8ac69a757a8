/** The largest batch whose memory, measured, stays in a budget. */
export interface BatchPlan<T> {
  readonly batch: number;
  /** Bytes of the whole process in a step. */
  readonly bytes: number;
  /** What was measured at this batch. */
  readonly measured: T;
}

/** Where the search begins. */
const FIRST = 2;
/** Share of the room to the budget that a guess goes for: it is a straight line through measurements that are not quite straight. */
const CAREFUL = 0.9;
/** Measurements: each compiles anew. */
const TRIALS = 4;

/** Down to a batch that fills the engine's vectors and threads: even ones, from 8 on fours, from 32 on eights. */
export function roundBatch(batch: number): number {
  const unit = batch >= 32 ? 8 : batch >= 8 ? 4 : batch >= 2 ? 2 : 1;
  return Math.max(1, Math.floor(batch / unit) * unit);
}

/** Finds the largest batch up to `most` that stays in the budget. `measure` gives the memory of a real step at a batch, `graphBytes` what the graph keeps at it: the
 *  first guess takes all memory beyond `rest` for that of the graph, which at a small batch is too much, and each further one the slope between the two last measurements.
 *  Undefined where not even the smallest fits. */
export async function planBatch<T extends { readonly peakBytes: number }>(
  { budget, most, rest }: { readonly budget: number; readonly most: number; readonly rest: number },
  graphBytes: (batch: number) => number,
  measure: (batch: number) => Promise<T>,
): Promise<BatchPlan<T> | undefined> {
  const trials: BatchPlan<T>[] = [];
  const attempt = async (batch: number): Promise<void> => {
    const measured = await measure(batch);
    trials.push({ batch, bytes: measured.peakBytes, measured });
  };
  const fitting = () => trials.filter(({ bytes }) => bytes <= budget).sort((a, b) => b.batch - a.batch)[0];
  await attempt(Math.min(FIRST, most));
  while (trials.length < TRIALS && fitting()) {
    const best = fitting()!;
    const guess = Math.min(most, best.batch + (CAREFUL * (budget - best.bytes)) / slopeOf(trials, graphBytes, rest));
    const tooLarge = Math.min(Infinity, ...trials.filter(({ bytes }) => bytes > budget).map(({ batch }) => batch));
    const next = roundBatch(guess < tooLarge ? guess : (best.batch + tooLarge) / 2);
    if (next <= best.batch) break;
    await attempt(next);
  }
  return fitting();
}

/** Bytes per image. */
function slopeOf(trials: readonly BatchPlan<unknown>[], graphBytes: (batch: number) => number, rest: number): number {
  const [before, last] = trials.slice(-2) as [BatchPlan<unknown>, BatchPlan<unknown> | undefined];
  const perImage = graphBytes(2) - graphBytes(1);
  if (!last) return perImage * Math.max(1, (before.bytes - rest) / graphBytes(before.batch));
  return Math.max(perImage / 4, (last.bytes - before.bytes) / (last.batch - before.batch));
}
