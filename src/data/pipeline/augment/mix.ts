import type { RandomStream } from '../../../random.js';
import type { WholeImageSample } from '../../sample.js';

export interface MixOptions {
  /** α of the Beta distributions of Mixup and of CutMix; 0 for none. With both, each batch gets one of the two. */
  readonly mixup: number;
  readonly cutmix: number;
}

/** Mixes the i-th image of a batch with the i-th from the end, pixels and classes in the same proportion; in an odd
 *  batch, the middle image stays as it is. Zhang et al. 2018 (arXiv:1710.09412), Yun et al. 2019 (arXiv:1905.04899). */
export function mixBatch(
  samples: readonly WholeImageSample[],
  { mixup, cutmix }: MixOptions,
  random: RandomStream,
): WholeImageSample[] {
  if (mixup === 0 && cutmix === 0) return [...samples];
  const cuts = cutmix > 0 && (mixup === 0 || random.chance(0.5));
  const alpha = cuts ? cutmix : mixup;
  return samples.map((sample, i) => {
    const other = samples[samples.length - 1 - i]!;
    const share = drawBeta(alpha, random);
    return cuts ? paste(sample, other, share, random) : blend(sample, other, share);
  });
}

function blend(sample: WholeImageSample, other: WholeImageSample, share: number): WholeImageSample {
  const { data, width, height } = sample.picture;
  const mixed = data.map((value, i) => value + share * (other.picture.data[i]! - value) + 0.5);
  return { ...sample, picture: { data: mixed, width, height }, mixed: { label: other.label, share } };
}

/** Pastes a rectangle of the other image with the input's proportions and its centre anywhere. The share is that of the
 *  part inside. */
function paste(
  sample: WholeImageSample,
  other: WholeImageSample,
  wanted: number,
  random: RandomStream,
): WholeImageSample {
  const { data, width, height } = sample.picture;
  const side = Math.sqrt(wanted);
  const [x, y] = [random.uniform(0, width), random.uniform(0, height)];
  const edge = (centre: number, length: number, whole: number): [number, number] => [
    Math.max(0, Math.round(centre - length / 2)),
    Math.min(whole, Math.round(centre + length / 2)),
  ];
  const [left, right] = edge(x, side * width, width);
  const [top, bottom] = edge(y, side * height, height);
  const mixed = data.slice();
  for (let row = top; row < bottom; row++) {
    const from = (row * width + left) * 3;
    mixed.set(other.picture.data.subarray(from, (row * width + right) * 3), from);
  }
  const share = ((right - left) * (bottom - top)) / (width * height);
  return { ...sample, picture: { data: mixed, width, height }, mixed: { label: other.label, share } };
}

/** Draws from Beta(α, α) as G₁/(G₁ + G₂), where both are drawn from Gamma(α). */
export function drawBeta(alpha: number, random: RandomStream): number {
  const [one, other] = [drawGamma(alpha, random), drawGamma(alpha, random)];
  return one + other > 0 ? one / (one + other) : 0.5;
}

/** Draws from Gamma(α). Marsaglia & Tsang 2000, "A simple method for generating gamma variables"; for α < 1 as Gamma(α
 *  + 1)·U^(1/α). */
function drawGamma(alpha: number, random: RandomStream): number {
  if (alpha < 1) return drawGamma(alpha + 1, random) * (1 - random.next()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
