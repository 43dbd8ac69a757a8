/** What is measured of one way to run a model. */
export interface Timed {
  /** Milliseconds from the bytes of an image to what was found: the median, and what 19 of 20 calls stay below. */
  readonly p50: number;
  readonly p95: number;
  readonly calls: number;
}

/** The times of calls as their quantiles. */
export function quantiles(times: readonly number[]): Timed {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { p50: at(0.5), p95: at(0.95), calls: sorted.length };
}

/** One that takes turns: makes some calls, and returns the milliseconds of each. */
export type Contestant = () => Promise<readonly number[]>;

/** Lets all take turns, so that a slow moment of the machine affects all of them, and returns the times of each. The first
 *  round warms up. */
export async function takeTurns(contestants: readonly Contestant[], rounds: number): Promise<readonly Timed[]> {
  const times = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, run] of contestants.entries()) {
      const measured = await run();
      if (round > 0) times[i]!.push(...measured);
    }
  }
  return times.map(quantiles);
}

/** The row with the least median; of two that differ by less than `NOISE`, the one that needs less memory. */
export function recommend<Row extends Timed & { readonly memoryBytes: number }>(rows: readonly Row[]): Row | undefined {
  const fastest = Math.min(...rows.map(({ p50 }) => p50));
  const asFast = rows.filter(({ p50 }) => p50 <= fastest * (1 + NOISE));
  return asFast.sort((one, other) => one.memoryBytes - other.memoryBytes)[0];
}

/** Share by which medians of two measurements of the same thing may differ. */
const NOISE = 0.03;
