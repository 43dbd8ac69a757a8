/** Scores of one setting, by seed. */
export interface Group {
  readonly name: string;
  readonly scores: ReadonlyMap<number, number>;
}

export interface Compared {
  readonly name: string;
  readonly seeds: number;
  readonly mean: number;
  /** 95 % interval of the mean over seeds; absent with one seed. */
  readonly interval: readonly [low: number, high: number] | undefined;
  /** Against the one with the highest mean, over the seeds that both have. */
  readonly verdict: 'best' | 'worse' | 'not distinguishable' | 'one seed';
  /** By how much it is behind, with the 95 % interval of that. */
  readonly behind: number;
  readonly behindInterval: readonly [low: number, high: number] | undefined;
}

/** Two-sided 95 % points of Student's t for 1, 2, … degrees of freedom. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** Mean of the values and its 95 % interval (Student 1908): seeds stand for all the runs that might have been. */
function meanOf(values: readonly number[]): { mean: number; interval: readonly [number, number] | undefined } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, interval: undefined };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const t = T95[n - 2] ?? 1.96 + 2.6 / (n - 1);
  const half = t * Math.sqrt(variance / n);
  return { mean, interval: [mean - half, mean + half] };
}

/** Settings from best to worst, each with whether it can be told from the best: the differences of runs with the same seed are compared,
 *  which share the order of images, and 0 must lie outside of their 95 % interval. */
export function compareScores(groups: readonly Group[]): Compared[] {
  const ranked = groups
    .map((group) => ({ ...group, ...meanOf([...group.scores.values()]) }))
    .sort((a, b) => b.mean - a.mean);
  const [best] = ranked;
  return ranked.map((group): Compared => {
    const common = [...group.scores.keys()].filter((seed) => best!.scores.has(seed));
    const gaps = common.map((seed) => best!.scores.get(seed)! - group.scores.get(seed)!);
    const behind = gaps.length > 0 ? meanOf(gaps) : { mean: best!.mean - group.mean, interval: undefined };
    const verdict =
      group === best
        ? 'best'
        : behind.interval === undefined
          ? 'one seed'
          : behind.interval[0] > 0
            ? 'worse'
            : 'not distinguishable';
    return {
      name: group.name,
      seeds: group.scores.size,
      mean: group.mean,
      interval: group.interval,
      verdict,
      behind: behind.mean,
      behindInterval: behind.interval,
    };
  });
}
