const MAX_EXACT_POWER = 22; // 10²² = 2²² · 5²², and 5²² < 2⁵³: the last exact one
const POWERS = Float64Array.from({ length: MAX_EXACT_POWER + 1 }, (_, i) => Number(`1e${i}`));

/** Multiplying by 2²⁷ + 1 splits a double into two halves whose products are exact (Veltkamp). */
const SPLITTER = 134217729;

/** Upper bound of the relative error of the quotient of two-part numbers below (it is about 2⁻¹⁰⁰ in fact). */
const DOUBT = 2 ** -95;

/** Maximum number of digits of `high`, and of `low`. Nine fit an int32, which is the fastest to collect digits in. */
export const PART_DIGITS = 9;
const EXACT = 2 ** 53;

/** The double nearest to (high · 10^lowDigits + low) · 10^exponent: the digits of a decimal number in two parts of at
 *  most nine. NaN if this cannot be decided cheaply, so that Number() must be used. Result files are full of float32
 *  numbers that were printed as float64 with 17 digits. Short numbers need one exact operation (Clinger 1990); for long
 *  ones the quotient is computed in two-part arithmetic (Dekker 1971), and accepted if both ends of its error interval
 *  round to the same double. */
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

/** The exact value of a · b − product, where product is a · b rounded. */
function productError(a: number, b: number, product: number): number {
  const aBig = SPLITTER * a;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = SPLITTER * b;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
