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
  /** Comparison with the setting that has the highest mean, over the seeds that both have. */
  readonly verdict: 'best' | 'worse' | 'not distinguishable' | 'one seed';
  /** By how much it is lower, with a 95 % interval. */
  readonly behind: number;
  readonly behindInterval: readonly [low: number, high: number] | undefined;
}

/** Two-sided 95 % points of Student's t for 1, 2, … degrees of freedom. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** Mean of the values and its 95 % interval (Student 1908): the seeds are a sample of all possible runs. */
function meanOf(values: readonly number[]): { mean: number; interval: readonly [number, number] | undefined } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, interval: undefined };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const t = T95[n - 2] ?? 1.96 + 2.6 / (n - 1);
  const half = t * Math.sqrt(variance / n);
  return { mean, interval: [mean - half, mean + half] };
}

/** Sorts settings from best to worst, and tells whether each differs from the best. Runs with the same seed, which have
 *  the same order of images, are compared in pairs; a setting differs if the 95 % interval of the differences does not
 *  contain 0. */
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
