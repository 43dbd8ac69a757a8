import type { Recommendation, SpeedRow } from '../report/speed.js';

/** What is measured of one way to run a model. */
export type Timed = Pick<SpeedRow, 'p50' | 'p95' | 'calls'>;

/** The times of calls as their quantiles. */
export function quantiles(times: readonly number[]): Timed {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { p50: at(0.5), p95: at(0.95), calls: sorted.length };
}

/** One that takes turns: makes some calls, and returns the milliseconds of each. */
export type Contestant = () => Promise<readonly number[]>;

/** Milliseconds of a round on average, beyond which one misses the rounds that are left: its median is known to be far behind. */
const MOST = 1000;

/** Lets all take turns, so that a slow moment of the machine affects all of them, and returns the times of each. The first
 *  round warms up. */
export async function takeTurns(contestants: readonly Contestant[], rounds: number): Promise<readonly Timed[]> {
  const times = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, run] of contestants.entries()) {
      if (sum(times[i]!) > rounds * MOST) continue;
      const measured = await run();
      if (round > 0) times[i]!.push(...measured);
    }
  }
  return times.map(quantiles);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Share by which medians of two measurements of the same thing may differ. */
const NOISE = 0.05;

/** Recommends the row with the least median; of rows that differ by less than `NOISE`, one that is not quantised, and among those
 *  the one that needs least memory. */
export function recommend(rows: readonly SpeedRow[]): Recommendation | undefined {
  const fastest = Math.min(...rows.map(({ p50 }) => p50));
  const isAsFast = ({ p50 }: SpeedRow): boolean => p50 <= fastest * (1 + NOISE);
  const [best, ...tied] = rows.filter(isAsFast).sort(bySparing);
  if (!best) return undefined;
  const [next] = rows.filter((row) => !isAsFast(row)).sort((one, other) => one.p50 - other.p50);
  const reasons = [
    `${best.p50.toFixed(1)} ms at the median`,
    next && `${(next.p50 / best.p50).toFixed(2)} times as fast as ${nameOf(next)}`,
    tied[0] &&
      `as fast as ${nameOf(tied[0])} within ${100 * NOISE} %, ${QUANTIZED.test(tied[0].format) && !QUANTIZED.test(best.format) ? 'and not quantised' : 'with less memory'}`,
    best.score &&
      `${best.score.name} ${best.score.exported.toFixed(4)} where the checkpoint has ${best.score.checkpoint.toFixed(4)}`,
  ];
  const { format, engine, host, model } = best;
  return { format, engine, host, model, reason: reasons.filter(Boolean).join('; ') };
}

const QUANTIZED = / (float16|int8)$/;
const bySparing = (one: SpeedRow, other: SpeedRow): number =>
  Number(QUANTIZED.test(one.format)) - Number(QUANTIZED.test(other.format)) || memory(one) - memory(other);
const memory = ({ memoryBytes }: SpeedRow): number => memoryBytes ?? Infinity;
const nameOf = ({ format, engine }: SpeedRow): string => `${format} with ${engine}`;
