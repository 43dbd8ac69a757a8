import sharp, { type Sharp } from 'sharp';
import { randomStream } from '../../src/random.js';

/** An image of 160 × 120 pixels with the coarse structure of a photo: a few blurred patches, drawn from a seed. */
export async function photo(seed: number): Promise<Sharp> {
  const random = randomStream(seed, 'photo');
  const [width, height] = [8, 6];
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
  const coarse = sharp(data, { raw: { width, height, channels: 3 } });
  return sharp(await coarse.resize(160, 120, { kernel: 'cubic' }).png().toBuffer());
}
