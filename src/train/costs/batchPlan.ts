/** The largest batch whose measured memory stays within a budget. */
export interface BatchPlan<T> {
  readonly batch: number;
  /** Memory of the whole process during a step, in bytes. */
  readonly bytes: number;
  /** The measurement at this batch. */
  readonly measured: T;
}

/** The first batch that is tried. */
const FIRST = 2;
/** Share of the remaining budget that a guess aims for: it extrapolates along a straight line, and memory does not grow
 *  quite linearly. */
const CAREFUL = 0.9;
/** Most measurements; each one compiles its own programs. */
const TRIALS = 4;

/** Rounds down to a batch that fills the engine's vectors and threads: an even number, from 8 on a multiple of 4, from
 *  32 on of 8. */
export function roundBatch(batch: number): number {
  const unit = batch >= 32 ? 8 : batch >= 8 ? 4 : batch >= 2 ? 2 : 1;
  return Math.max(1, Math.floor(batch / unit) * unit);
}

/** Finds the largest batch up to `most` that stays within the budget. `measure` runs real steps at a batch and returns
 *  their memory; `graphBytes` estimates what the graph keeps at it. The first guess attributes all memory beyond `rest`
 *  to the graph, which overestimates it at a small batch; each further guess uses the slope between the last two
 *  measurements.
 *  Returns undefined where not even the smallest batch fits. */
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

/** Estimates the bytes per image. */
function slopeOf(trials: readonly BatchPlan<unknown>[], graphBytes: (batch: number) => number, rest: number): number {
  const [before, last] = trials.slice(-2) as [BatchPlan<unknown>, BatchPlan<unknown> | undefined];
  const perImage = graphBytes(2) - graphBytes(1);
  if (!last) return perImage * Math.max(1, (before.bytes - rest) / graphBytes(before.batch));
  return Math.max(perImage / 4, (last.bytes - before.bytes) / (last.batch - before.batch));
}
