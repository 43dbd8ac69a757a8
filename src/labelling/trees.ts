/** Boosted trees and their depth, the share of each that counts, and the pull of their leaves towards 0. */
const [TREES, DEPTH, RATE, PULL] = [80, 3, 0.1, 5];
/** Rows of a leaf at least, and bins into which a column is divided. */
const [LEAST_ROWS, BINS] = [10, 32];

type Row = readonly number[];
type Tree = number | { readonly column: number; readonly bin: number; readonly below: Tree; readonly above: Tree };

/** Fits the log-odds of the second group of rows against the first by gradient-boosted trees (Friedman 2001, with the
 *  second-order leaves of XGBoost, Chen and Guestrin 2016). Both groups count alike, whatever their sizes. */
export function fitLogOdds(first: readonly Row[], second: readonly Row[]): (row: Row) => number {
  const rows = [...first, ...second];
  const isSecond = rows.map((_, i) => Number(i >= first.length));
  const weights = isSecond.map((is) => rows.length / 2 / (is ? second.length : first.length));
  const edges = rows[0]!.map((_, column) => edgesOf(rows.map((row) => row[column]!)));
  const binned = (row: Row): Uint8Array => Uint8Array.from(row, (value, column) => binOf(value, edges[column]!));
  const bins = rows.map(binned);
  const sums = new Float64Array(rows.length);
  const trees: Tree[] = [];
  for (let n = 0; n < TREES; n++) {
    const probabilities = Array.from(sums, (sum) => 1 / (1 + Math.exp(-sum)));
    const slope = probabilities.map((p, i) => weights[i]! * (isSecond[i]! - p));
    const bend = probabilities.map((p, i) => weights[i]! * p * (1 - p));
    const tree = grow({ bins, counts: edges.map(({ length }) => length + 1), slope, bend }, [...rows.keys()], DEPTH);
    trees.push(tree);
    bins.forEach((row, i) => (sums[i]! += valueOf(tree, row)));
  }
  return (row) => {
    const own = binned(row);
    return trees.reduce<number>((sum, tree) => sum + valueOf(tree, own), 0);
  };
}

/** The log-odds of rows by trees that have not seen the rows of their fold: a row that was learned from would be taken
 *  for what it was said to be. With a single fold there is nothing else to learn from. */
export function fitAcrossFolds(
  first: readonly (readonly Row[])[],
  second: readonly (readonly Row[])[],
): (row: Row, fold: number) => number {
  const without = (groups: readonly (readonly Row[])[], fold: number): Row[] =>
    groups.filter((_, i) => groups.length === 1 || i !== fold).flat();
  const fitted = first.map((_, fold) => {
    const [a, b] = [without(first, fold), without(second, fold)];
    return a.length > 0 && b.length > 0 ? fitLogOdds(a, b) : () => 0;
  });
  return (row, fold) => fitted[fold]!(row);
}

interface Learned {
  readonly bins: readonly Uint8Array[];
  /** Bins of each column. */
  readonly counts: readonly number[];
  readonly slope: readonly number[];
  readonly bend: readonly number[];
}

function grow(learned: Learned, members: readonly number[], depth: number): Tree {
  const sum = (values: readonly number[]): number => members.reduce((total, i) => total + values[i]!, 0);
  const [slope, bend] = [sum(learned.slope), sum(learned.bend)];
  const leaf = (RATE * slope) / (bend + PULL);
  const cut = depth > 0 && members.length >= 2 * LEAST_ROWS ? bestCut(learned, members, slope, bend) : undefined;
  if (!cut) return leaf;
  const isBelow = (i: number): boolean => learned.bins[i]![cut.column]! <= cut.bin;
  const below = members.filter(isBelow);
  const above = members.filter((i) => !isBelow(i));
  return { ...cut, below: grow(learned, below, depth - 1), above: grow(learned, above, depth - 1) };
}

function bestCut(
  { bins, counts, slope, bend }: Learned,
  members: readonly number[],
  allSlope: number,
  allBend: number,
): { readonly column: number; readonly bin: number } | undefined {
  const gainOf = (s: number, b: number): number => (s * s) / (b + PULL);
  let best: { readonly column: number; readonly bin: number } | undefined;
  let most = gainOf(allSlope, allBend) + 1e-6;
  for (const [column, count] of counts.entries()) {
    const [slopes, bends, sizes] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
    for (const i of members) {
      const bin = bins[i]![column]!;
      slopes[bin]! += slope[i]!;
      bends[bin]! += bend[i]!;
      sizes[bin]!++;
    }
    let [s, b, size] = [0, 0, 0];
    for (let bin = 0; bin < count - 1; bin++) {
      [s, b, size] = [s + slopes[bin]!, b + bends[bin]!, size + sizes[bin]!];
      if (size < LEAST_ROWS || members.length - size < LEAST_ROWS) continue;
      const gain = gainOf(s, b) + gainOf(allSlope - s, allBend - b);
      if (gain > most) [best, most] = [{ column, bin }, gain];
    }
  }
  return best;
}

/** Values that divide a column into bins of about as many rows, ascending. */
function edgesOf(column: readonly number[]): number[] {
  const sorted = Float64Array.from(column).sort();
  const edges = Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)]!);
  return [...new Set(edges)];
}

/** The number of edges that a value reaches. */
function binOf(value: number, edges: readonly number[]): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value >= edges[middle]!) low = middle + 1;
    else high = middle;
  }
  return low;
}

function valueOf(tree: Tree, row: Uint8Array): number {
  let at = tree;
  while (typeof at !== 'number') at = row[at.column]! <= at.bin ? at.below : at.above;
  return at;
}
