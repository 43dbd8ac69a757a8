/** Length up to which numpy adds eight numbers at a time; longer ranges are halved. */
const BLOCK = 128;

/** Sum of values[from … from + length) in numpy's order (umath, pairwise sum), so that means agree to the last bit. */
export function pairwiseSum(values: Float64Array, from: number, length: number): number {
  if (length < 8) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += values[from + i]!;
    return sum;
  }
  if (length <= BLOCK) {
    const lanes = values.slice(from, from + 8);
    const whole = length - (length % 8);
    for (let i = 8; i < whole; i++) lanes[i % 8]! += values[from + i]!;
    const [a, b, c, d, e, f, g, h] = lanes as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    let sum = a + b + (c + d) + (e + f + (g + h));
    for (let i = whole; i < length; i++) sum += values[from + i]!;
    return sum;
  }
  const half = Math.floor(length / 2);
  const left = half - (half % 8);
  return pairwiseSum(values, from, left) + pairwiseSum(values, from + left, length - left);
}
