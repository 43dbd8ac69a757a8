import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { frameImage } from '../../src/data/image/frame.js';
import { decodeImage, readPart } from '../../src/data/image/image.js';
import { randomStream } from '../../src/random.js';
import { readPixels } from '../../src/runtime/image.js';
import { resizeImage } from '../../src/runtime/resize.js';
import { viewOf } from '../../src/runtime/view.js';

const kernels = { bilinear: 'linear', bicubic: 'cubic' } as const;

test.each([
  ['bilinear', 64, 48, 32, 32],
  ['bilinear', 100, 75, 60, 60],
  ['bilinear', 100, 70, 19, 13],
  ['bilinear', 192, 108, 31, 33],
  ['bilinear', 20, 16, 45, 45],
  ['bilinear', 40, 80, 60, 60],
  ['bilinear', 40, 40, 40, 20],
  ['bilinear', 85, 107, 64, 64], // positions in the middle between two weights
  ['bicubic', 100, 75, 60, 60],
  ['bicubic', 85, 107, 64, 64],
  ['bicubic', 192, 108, 31, 33],
  ['bicubic', 40, 30, 50, 20],
  ['bicubic', 31, 23, 48, 50],
] as const)('%s from %dx%d to %dx%d has the pixels of sharp', async (method, width, height, toWidth, toHeight) => {
  const random = randomStream(1, `${width}`);
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
  const file = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const expected = await sharp(file)
    .resize(toWidth, toHeight, { fit: 'fill', kernel: kernels[method], fastShrinkOnLoad: false })
    .raw()
    .toBuffer();
  expect(Buffer.from(resizeImage({ data, width, height }, toWidth, toHeight, method).data)).toEqual(expected);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a JPEG photo of EXIF orientation %d has the pixels of its whole and upright decoding',
  async (orientation) => {
    const [width, height] = [423, 317];
    const random = randomStream(1, 'photo');
    const noise = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
    const file = await sharp(noise, { raw: { width, height, channels: 3 } })
      .withMetadata({ orientation })
      .jpeg()
      .toBuffer();
    const { data, info } = await sharp(file, { autoOrient: true }).raw().toBuffer({ resolveWithObject: true });
    const whole = { data, width: info.width, height: info.height };
    for (const size of [
      [40, 52], // so small that the decoder could shrink the photo while it reads
      [213, 187],
    ] as const) {
      const frame = frameImage(info, { size });
      const expected = resizeImage(whole, frame.width, frame.height, 'bilinear').data;
      expect((await decodeImage(file, frame)).data).toEqual(expected);
      const { data: quick } = await decodeImage(file, frame, { shrinkOnLoad: true });
      if (size[0] === 40) expect(quick).not.toEqual(expected);
      else expect(quick).toEqual(expected);
    }
  },
);

test.each([
  ['bilinear', 64, 48, 32, 40],
  ['bilinear', 20, 16, 45, 45],
  ['bicubic', 85, 107, 64, 64],
  ['bilinear', 40, 30, 40, 30], // nothing is resized
] as const)(
  '%s from %dx%d to %dx%d has the pixels of Node where some are transparent',
  async (method, width, height, toWidth, toHeight) => {
    const random = randomStream(1, `${width}`);
    const opacity = () => [0, 255, random.integer(0, 256), random.integer(0, 10)][random.integer(0, 4)]!;
    const valueAt = (i: number): number => (i % 4 === 3 ? opacity() : random.integer(0, 256));
    const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => valueAt(i));
    const image = { data, width, height };
    const file = await sharp(data, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    const resize = { mode: 'stretch', method } as const;
    for (const patch of [undefined, { left: 3, top: 2, width: 15, height: 13 }]) {
      const { pixels } = viewOf(
        await readPixels(image),
        { input: { shape: [1, toHeight, toWidth, 3], resize } },
        patch,
      );
      const frame = frameImage(image, { size: [toHeight, toWidth], ...(patch && { patch }) });
      for (const source of [file, image]) {
        const { data: expected } = await decodeImage(source, frame, { interpolation: method });
        expect(pixels).toEqual(Float32Array.from(expected));
      }
      const part = await readPart(file, frame.region); // as predict reads tiles
      const whole = frameImage(part, { size: [toHeight, toWidth] });
      expect(Float32Array.from((await decodeImage(part, whole, { interpolation: method })).data)).toEqual(pixels);
    }
  },
);

test('the middle of a photo whose rounding leaves an edge free is padded as in Node', async () => {
  const random = randomStream(1, 'crop');
  const [width, height] = [299, 224];
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(0, 256));
  const resize = { mode: 'crop', method: 'bicubic', cropFraction: 0.875 } as const;
  const { pixels } = viewOf({ data, width, height }, { input: { shape: [1, 224, 224, 3], resize } });
  const frame = frameImage({ width, height }, { size: [224, 224], resize: 'crop', cropFraction: 0.875 });
  expect(Math.min(frame.target.width, frame.target.height)).toBeLessThan(224);
  const expected = (await decodeImage({ data, width, height }, frame, { interpolation: 'bicubic' })).data;
  const off = pixels.map((value, i) => Math.abs(value - expected[i]!));
  expect(off.filter((levels) => levels > 1)).toHaveLength(0);
});
