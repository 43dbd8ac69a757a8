import { xyxy } from '../../../geometry/box.js';
import type { RandomStream } from '../../../random.js';
import type { BoxSample } from '../../sample.js';

/** The median of 15 uniform numbers has the distribution Beta(8, 8): near a half, so that the objects of both images
 *  are visible. */
const UNIFORMS = 15;

/** Draws the share of the other image, 0…1. */
export function drawShare(random: RandomStream): number {
  const draws = Array.from({ length: UNIFORMS }, () => random.next()).sort((a, b) => a - b);
  return draws[(UNIFORMS - 1) / 2]!;
}

/** Blend in another sample of the same size with its share, 0…1; the result has the boxes of both. Zhang et al. 2019,
 *  "Bag of Freebies", §3.1 (arXiv:1902.04103), but all boxes have the same weight. */
export function mixSamples(sample: BoxSample, other: BoxSample, share: number): BoxSample {
  const { data, width, height } = sample.picture;
  const mixed = new Uint8Array(data.length);
  const weight = Math.round(share * 256);
  const through = other.picture.data;
  for (let i = 0; i < data.length; i++) mixed[i] = (data[i]! * (256 - weight) + through[i]! * weight + 128) >> 8;
  return {
    ...sample,
    picture: { data: mixed, width, height },
    boxes: xyxy([...sample.boxes, ...other.boxes]),
    classes: [...sample.classes, ...other.classes],
    ignore: [...sample.ignore, ...other.ignore],
  };
}
