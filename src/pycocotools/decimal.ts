const MAX_EXACT_POWER = 22; // 10²² = 2²² · 5²², and 5²² < 2⁵³: the last exact one
const POWERS = Float64Array.from({ length: MAX_EXACT_POWER + 1 }, (_, i) => Number(`1e${i}`));

/** Veltkamp: multiplying by 2²⁷ + 1 splits a double into two halves whose products are exact. */
const SPLITTER = 134217729;

/** Relative error that the quotient of two-part numbers below surely stays under (about 2⁻¹⁰⁰ in fact). */
const DOUBT = 2 ** -95;

/** Digits of `high`, at most; `low` has as many again. Nine fit an int32, in which digits are gathered fastest. */
export const PART_DIGITS = 9;
const EXACT = 2 ** 53;

/** The double nearest to (high · 10^lowDigits + low) · 10^exponent: the digits of a decimal number in two parts of at most nine.
 *  NaN where this cannot be told cheaply, and Number() has to. Float32 numbers printed as float64 have 17 digits: result
 *  files are full of them.
 *  Short: one exact operation (Clinger 1990). Long: quotient in two-part arithmetic (Dekker 1971), accepted if both ends of its
 *  error interval round to the same double. */
export function decimalToDouble(high: number, low: number, lowDigits: number, exponent: number): number {
  if (lowDigits > PART_DIGITS) return NaN;
  const product = high * POWERS[lowDigits]!;
  if (product + low < EXACT) {
    if (exponent === 0) return product + low;
    if (exponent < 0 && exponent >= -MAX_EXACT_POWER) return (product + low) / POWERS[-exponent]!;
    return exponent > 0 && exponent <= MAX_EXACT_POWER ? (product + low) * POWERS[exponent]! : NaN;
  }
  if (exponent >= 0 || exponent < -MAX_EXACT_POWER) return NaN;
  // numerator, exactly: head + tail
  let tail = productError(high, POWERS[lowDigits]!, product);
  const sum = product + low;
  const back = sum - product;
  tail += product - (sum - back) + (low - back);
  const head = sum + tail;
  tail -= head - sum;
  // quotient: first + second
  const divisor = POWERS[-exponent]!;
  const first = head / divisor;
  const covered = first * divisor;
  const second = (head - covered - productError(first, divisor, covered) + tail) / divisor;
  const doubt = first * DOUBT;
  const result = first + (second - doubt);
  return result === first + (second + doubt) ? result : NaN;
}

/** a · b − product, exactly, where product is a · b rounded. */
function productError(a: number, b: number, product: number): number {
  const aBig = SPLITTER * a;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = SPLITTER * b;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
