/** The layout of an axis: alternating numbers of real channels and of padding. [27, 5] is 27 channels followed by 5 of
 *  padding, [27, 5, 38, 10] are two such parts side by side. An axis of 27 channels without padding is [27, 0]. */
export type Runs = readonly number[];

const sum = (runs: Runs, parity: 0 | 1): number =>
  runs.reduce((total, n, i) => (i % 2 === parity ? total + n : total), 0);

export const unpadded = (length: number): Runs => [length, 0];
export const realLength = (runs: Runs): number => sum(runs, 0);
export const fullLength = (runs: Runs): number => sum(runs, 0) + sum(runs, 1);
export const isUnpadded = (runs: Runs): boolean => sum(runs, 1) === 0;
export const sameRuns = (a: Runs, b: Runs): boolean => a.length === b.length && a.every((n, i) => n === b[i]);
export const roundUp = (length: number, block: number): number => Math.ceil(length / block) * block;

/** The layout of `length` channels that are padded to a multiple of `block`. */
export const padded = (length: number, block: number): Runs => [length, roundUp(length, block) - length];

/** Merges parts without padding between them: [4, 0, 4, 0] becomes [8, 0]. */
function joined(runs: Runs): Runs {
  const result: number[] = [];
  for (let i = 0; i < runs.length; i += 2) {
    const last = result.length - 1;
    if (last > 0 && result[last] === 0) {
      result[last - 1]! += runs[i]!;
      result[last] = runs[i + 1]!;
    } else if (runs[i] === 0 && last > 0) result[last]! += runs[i + 1]!;
    else result.push(runs[i]!, runs[i + 1]!);
  }
  return result;
}

export const concatRuns = (parts: readonly Runs[]): Runs => joined(parts.flat());

/** Lists the runs of real channels, each with its start on the padded axis and its length. */
export function realRuns(runs: Runs): readonly (readonly [begin: number, length: number])[] {
  const found: [number, number][] = [];
  let at = 0;
  for (const [i, n] of runs.entries()) {
    if (i % 2 === 0 && n > 0) found.push([at, n]);
    at += n;
  }
  return found;
}

/** Finds the part of a padded axis that holds `size` real channels from the real channel `begin` on, with the padding
 *  after them. */
export function sliceRuns(runs: Runs, begin: number, size: number): { readonly begin: number; readonly runs: Runs } {
  const kept: number[] = [];
  let start: number | undefined;
  let at = 0; // on the padded axis
  let real = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const [n, zeros] = [runs[i]!, runs[i + 1]!];
    const [from, to] = [Math.max(begin - real, 0), Math.min(begin + size - real, n)];
    if (from < to) {
      start ??= at + from;
      kept.push(to - from, to === n ? zeros : 0);
    }
    at += n + zeros;
    real += n;
  }
  return { begin: start ?? 0, runs: joined(kept) };
}
