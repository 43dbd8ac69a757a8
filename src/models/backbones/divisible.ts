/** Rounds to the nearest multiple of `divisor`, but never to less than nine tenths of `channels`: `_make_divisible` of
 *  the MobileNet papers' code. */
export function divisible(channels: number, divisor = 8): number {
  const rounded = Math.max(divisor, Math.floor((channels + divisor / 2) / divisor) * divisor);
  return rounded < 0.9 * channels ? rounded + divisor : rounded;
}
