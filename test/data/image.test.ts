import { describe, expect, test } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeBmp } from '../../src/data/image/bmp.js';
import { frameImage, placementOf, type FrameOptions } from '../../src/data/image/frame.js';
import { decodeImage, readImageHeader, readImageSize } from '../../src/data/image/image.js';
import { meanColour } from '../../src/data/image/meanColour.js';
import { mirrorPicture } from '../../src/data/pipeline/augment/mirror.js';
import { temporaryFolder } from './temporaryFolder.js';

const dir = temporaryFolder();
let files = 0;
const store = async (data: Uint8Array, extension: string) => {
  const file = join(dir, `${files++}.${extension}`);
  await writeFile(file, data);
  return file;
};
const raw = (data: Uint8Array, width: number, height: number, channels: 1 | 2 | 3 | 4 = 3) =>
  sharp(data, { raw: { width, height, channels } });

interface Golden {
  readonly name: string;
  readonly file: string;
  readonly source: readonly [number, number];
  readonly width: number;
  readonly height: number;
  readonly pixels: string;
}
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/pilResize.json'), 'utf8')) as Golden[];

describe('decodeImage', () => {
  const sides = fc.integer({ min: 1, max: 40 });
  test('a flip is the mirror image, bit for bit: the feature cache makes one from the other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ width: sides, height: sides, size: fc.tuple(sides, sides), resize: fc.constantFrom('stretch', 'letterbox', 'crop') }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        async ({ width, height, size, resize }, bytes) => {
          const pixels = Uint8Array.from({ length: width * height * 3 }, () => bytes.next().value as number);
          const file = await store(await raw(pixels, width, height).png().toBuffer(), 'png');
          const decode = (flip: boolean) => decodeImage(file, frameImage({ width, height }, { size, resize, flip }));
          expect(mirrorPicture(await decode(false))).toEqual(await decode(true));
        },
      ),
      { numRuns: 100 },
    );
  }); // prettier-ignore

  test.each(golden)(
    '$name to $width x $height is what PIL makes of it',
    async ({ file, source, width, height, pixels, name }) => {
      const wanted = Buffer.from(pixels, 'base64');
      const frame = frameImage({ width: source[0], height: source[1] }, { size: [height, width] });
      const { data } = await decodeImage(await store(Buffer.from(file, 'base64'), name), frame);
      expect(data.length).toBe(wanted.length);
      const differences = wanted.map((value, i) => Math.abs(value - data[i]!));
      expect(Math.max(...differences)).toBeLessThanOrEqual(6);
      expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThan(2);
    },
  );

  /** A 4×3 picture in which every pixel differs, as it should be seen. */
  const [width, height] = [4, 3];
  const seen = Uint8Array.from({ length: width * height * 3 }, (_, i) => 20 + Math.floor(i / 3) * 18 + (i % 3) * 5);
  const at = (data: Uint8Array, x: number, y: number, row = width) => data[(y * row + x) * 3]!;
  /** Where the pixel at (x, y) of the stored picture is seen, for EXIF orientations 1…8 (stored size width×height). */
  const orientations: readonly ((x: number, y: number, w: number, h: number) => readonly [number, number])[] = [
    (x, y) => [x, y],
    (x, y, w) => [w - 1 - x, y],
    (x, y, w, h) => [w - 1 - x, h - 1 - y],
    (x, y, _, h) => [x, h - 1 - y],
    (x, y) => [y, x],
    (x, y, _, h) => [h - 1 - y, x],
    (x, y, w, h) => [h - 1 - y, w - 1 - x],
    (x, y, w) => [y, w - 1 - x],
  ];
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'honours EXIF orientation %i, alone and with crop and flip',
    async (orientation) => {
      const [w, h] = orientation >= 5 ? [height, width] : [width, height];
      const stored = new Uint8Array(w * h * 3);
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) {
          const [sx, sy] = orientations[orientation - 1]!(x, y, w, h);
          stored.set(seen.subarray((sy * width + sx) * 3, (sy * width + sx) * 3 + 3), (y * w + x) * 3);
        }
      const file = await store(await raw(stored, w, h).withMetadata({ orientation }).png().toBuffer(), 'png');
      expect(await readImageSize(file)).toEqual({ width, height });
      const whole = await decodeImage(file, frameImage({ width, height }, { size: [height, width] }));
      expect(Array.from(whole.data)).toEqual(Array.from(seen));
      const patch = { left: 1, top: 1, width: 3, height: 2 };
      const part = await decodeImage(file, frameImage({ width, height }, { size: [2, 3], patch, flip: true }));
      for (let y = 0; y < 2; y++)
        for (let x = 0; x < 3; x++) expect(at(part.data, x, y, 3)).toBe(at(seen, 3 - x, 1 + y));
      // Enlarged, it is the picture that is stored upright, and lies where placementOf says.
      const larger = frameImage({ width, height }, { size: [9, 12] });
      const upright = await store(await raw(seen, width, height).png().toBuffer(), 'png');
      expect(await decodeImage(file, larger)).toEqual(await decodeImage(upright, larger));
    },
  );

  const frame8 = frameImage({ width: 8, height: 8 }, { size: [8, 8] });
  test.each<[string, () => Promise<Uint8Array>, string, readonly [number, number, number], number]>([
    [
      'greyscale PNG',
      () => raw(new Uint8Array(64).fill(90), 8, 8, 1).toColourspace('b-w').png().toBuffer(),
      'png',
      [90, 90, 90],
      0,
    ],
    [
      'greyscale JPEG',
      () => raw(new Uint8Array(64).fill(90), 8, 8, 1).toColourspace('b-w').jpeg().toBuffer(),
      'jpg',
      [90, 90, 90],
      1,
    ],
    [
      'alpha',
      () =>
        raw(
          Uint8Array.from({ length: 256 }, (_, i) => [200, 100, 50, 128][i % 4]!),
          8,
          8,
          4,
        )
          .png()
          .toBuffer(),
      'png',
      [200, 100, 50],
      0,
    ],
    [
      '16 bits',
      () =>
        raw(
          Uint8Array.from({ length: 192 }, (_, i) => [200, 100, 50][i % 3]!),
          8,
          8,
        )
          .toColourspace('rgb16')
          .png()
          .toBuffer(),
      'png',
      [200, 100, 50],
      1,
    ],
  ])('makes 8-bit RGB of %s', async (_, make, extension, colour, tolerance) => {
    const { data } = await decodeImage(await store(await make(), extension), frame8);
    expect(data.length).toBe(192);
    for (const [i, value] of data.entries()) expect(Math.abs(value - colour[i % 3]!)).toBeLessThanOrEqual(tolerance);
  });

  test.each([
    [12, 4095],
    [10, 1000],
    [8, 255],
    [16, 40_000],
  ])('keeps the highest 8 of %i bits that 16 bits hold', async (bits, most) => {
    const values = Uint16Array.from({ length: 64 }, (_, i) => Math.round((most * i) / 63));
    const file = await store(
      await sharp(values, { raw: { width: 8, height: 8, channels: 1 } })
        .toColourspace('grey16')
        .png()
        .toBuffer(),
      'png',
    );
    const expected = [...values].flatMap((value) => Array<number>(3).fill(value >> (bits - 8)));
    for (const attempt of ['before', 'after']) {
      const { data } = await decodeImage(file, frame8);
      expect([attempt, ...data]).toEqual([attempt, ...expected]);
    }
    expect((await readImageHeader(file)).storage).toEqual({ kind: 'deep', bits });
  });

  test('fills what is outside the image with the colour it is given, also around a greyscale one', async () => {
    const file = await store(
      await raw(new Uint8Array(64).fill(200), 8, 8, 1).toColourspace('b-w').png().toBuffer(),
      'png',
    );
    const { data } = await decodeImage(
      file,
      frameImage({ width: 8, height: 8 }, { size: [8, 16], resize: 'letterbox' }),
    );
    expect(Array.from(data.subarray(0, 3))).toEqual([...meanColour]);
    expect(Array.from(data.subarray(3 * 4, 3 * 4 + 3))).toEqual([200, 200, 200]);
    expect(Array.from(data.subarray(3 * 12, 3 * 12 + 3))).toEqual([...meanColour]);
  });

  test('puts a blob where the placement says, enlarged, reduced, cropped, expanded or mirrored', async () => {
    const side = 90;
    const radius = 7;
    const blob = (cx: number, cy: number) => {
      const data = new Uint8Array(side * side * 3);
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++)
          data.fill(
            Math.round(250 * Math.exp(-((x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2) / (2 * radius))),
            (y * side + x) * 3,
            (y * side + x) * 3 + 3,
          );
      return raw(data, side, side).png().toBuffer();
    };
    const centre = fc.double({ min: 40, max: 50, noNaN: true });
    const options = fc.record({
      size: fc.tuple(fc.integer({ min: 40, max: 200 }), fc.integer({ min: 40, max: 200 })),
      resize: fc.constantFrom('stretch' as const, 'letterbox' as const),
      patch: fc.record({
        left: fc.double({ min: -40, max: 20, noNaN: true }),
        top: fc.double({ min: -40, max: 20, noNaN: true }),
        width: fc.double({ min: 50, max: 200, noNaN: true }),
        height: fc.double({ min: 50, max: 200, noNaN: true }),
      }),
      flip: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(centre, centre, options, async (cx, cy, options: FrameOptions) => {
        const { left, top, width, height } = options.patch!;
        fc.pre(left + width > 70 && top + height > 70);
        const frame = frameImage({ width: side, height: side }, options);
        const { data } = await decodeImage(await store(await blob(cx, cy), 'png'), frame, { fill: [0, 0, 0] });
        let [mass, x, y] = [0, 0, 0];
        for (let i = 0; i < frame.width * frame.height; i++) {
          const value = data[i * 3]!;
          mass += value;
          x += value * ((i % frame.width) + 0.5);
          y += value * (Math.floor(i / frame.width) + 0.5);
        }
        const { scaleX, scaleY, offsetX, offsetY } = placementOf(frame);
        expect(Math.abs(x / mass - (cx * scaleX + offsetX))).toBeLessThan(0.1);
        expect(Math.abs(y / mass - (cy * scaleY + offsetY))).toBeLessThan(0.1);
      }),
      { numRuns: 100 },
    );
  });

  test('names the file that is missing, truncated or no image', async () => {
    const jpeg = await raw(
      Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 256),
      64,
      64,
    )
      .jpeg()
      .toBuffer();
    const frame = frameImage({ width: 64, height: 64 }, { size: [32, 32] });
    const truncated = await store(jpeg.subarray(0, jpeg.length / 2), 'jpg');
    const text = await store(Buffer.from('no image at all'), 'jpg');
    const empty = await store(new Uint8Array(0), 'jpg');
    for (const [file, code] of [
      [truncated, 'E_IMAGE_DECODE'],
      [text, 'E_IMAGE_DECODE'],
      [empty, 'E_IMAGE_DECODE'],
      [join(dir, 'nowhere.jpg'), 'E_IMAGE_MISSING'],
    ] as const)
      await expect(decodeImage(file, frame)).rejects.toMatchObject({ code, problems: [{ where: { file } }] });
    await expect(readImageSize(text)).rejects.toMatchObject({ code: 'E_IMAGE_DECODE' });
    const bitmap = await store(Buffer.from('BM, and no more'), 'bmp');
    await expect(decodeImage(bitmap, frame)).rejects.toMatchObject({ code: 'E_IMAGE_DECODE' });
    await expect(readImageSize(join(dir, 'no.bmp'))).rejects.toMatchObject({ code: 'E_IMAGE_MISSING' });
  });

  test('a damaged bitmap is an error or a picture of the size that it claims', () => {
    const sound = Buffer.from(golden.find(({ name }) => name === 'bmp')!.file, 'base64');
    const change = fc.tuple(fc.nat(80), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(sound.length), (changes, length) => {
        const bytes = Uint8Array.from(sound.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        let decoded;
        try {
          decoded = decodeBmp(bytes);
        } catch (error) {
          expect(String(error)).toMatch(/bitmap/);
          return;
        }
        expect(decoded.data.length).toBe(decoded.width * decoded.height * 3);
      }),
    );
  });
});
