import { xyxy } from '../../../geometry/box.js';
import type { RandomStream } from '../../../random.js';
import type { BoxSample } from '../../sample.js';

/** Beta(8, 8) is the median of so many uniform numbers: near a half, so that both images' objects can be seen. */
const UNIFORMS = 15;

export function drawShare(random: RandomStream): number {
  const draws = Array.from({ length: UNIFORMS }, () => random.next()).sort((a, b) => a - b);
  return draws[(UNIFORMS - 1) / 2]!;
}

/** Let another image of the same size shine through, by its share of 0…1: the pixels are blended, and the boxes of both are there.
 *  Zhang et al. 2019, "Bag of Freebies", §3.1 (arXiv:1902.04103), with all boxes weighing the same. */
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
