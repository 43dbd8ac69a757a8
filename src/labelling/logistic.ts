/** Strength of the pull of the weights towards 0, per row. */
const DECAY = 0.005;
/** Newton's method needs fewer. */
const STEPS = 12;

/** Fits the log-odds of the second group of rows against the first by logistic regression (Newton's method on
 *  standardised columns, L2 regularised). Both groups count alike, whatever their sizes. */
export function fitLogOdds(
  first: readonly (readonly number[])[],
  second: readonly (readonly number[])[],
): (row: readonly number[]) => number {
  const rows = [...first, ...second];
  const isSecond = (i: number): boolean => i >= first.length;
  const weightOf = (i: number): number => rows.length / 2 / (isSecond(i) ? second.length : first.length);
  const scale = standardise(rows);
  const inputs = rows.map(scale);
  const size = inputs[0]!.length;
  const weights = new Array<number>(size).fill(0);
  const logit = (input: readonly number[]): number => input.reduce((sum, value, j) => sum + value * weights[j]!, 0);
  for (let step = 0; step < STEPS; step++) {
    const slope = weights.map((weight, j) => (j === 0 ? 0 : -DECAY * rows.length * weight));
    const curvature = weights.map((_, j) =>
      weights.map((__, k) => (j === k ? (j === 0 ? 1e-6 : DECAY * rows.length) : 0)),
    );
    inputs.forEach((input, i) => {
      const p = 1 / (1 + Math.exp(-logit(input)));
      const [error, bend] = [weightOf(i) * (Number(isSecond(i)) - p), weightOf(i) * p * (1 - p)];
      for (let j = 0; j < size; j++) {
        slope[j]! += error * input[j]!;
        for (let k = 0; k < size; k++) curvature[j]![k]! += bend * input[j]! * input[k]!;
      }
    });
    solve(curvature, slope).forEach((change, j) => (weights[j]! += change));
  }
  return (row) => logit(scale(row));
}

/** Makes columns of mean 0 and deviation 1, after a first one of ones. */
function standardise(rows: readonly (readonly number[])[]): (row: readonly number[]) => number[] {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const columns = rows[0]!.map((_, j) => rows.map((row) => row[j]!));
  const means = columns.map(mean);
  const deviations = columns.map((column, j) => Math.sqrt(mean(column.map((value) => (value - means[j]!) ** 2))) || 1);
  return (row) => [1, ...row.map((value, j) => (value - means[j]!) / deviations[j]!)];
}

/** Solves A x = b for a symmetric positive definite A by Gauss's elimination. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i]!]);
  const size = rows.length;
  for (let i = 0; i < size; i++)
    for (let r = i + 1; r < size; r++) {
      const factor = rows[r]![i]! / rows[i]![i]!;
      for (let c = i; c <= size; c++) rows[r]![c]! -= factor * rows[i]![c]!;
    }
  const x = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const known = rows[i]!.slice(i + 1, size).reduce((sum, value, k) => sum + value * x[i + 1 + k]!, 0);
    x[i] = (rows[i]![size]! - known) / rows[i]![i]!;
  }
  return x;
}
