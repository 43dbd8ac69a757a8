import { afterAll, expect } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import { randomStream } from '../../src/random.js';
import type { FoundObject } from '../../src/tasks/found.js';
import { inBrowserSlowly, openPage, type Page } from '../browser/chromium.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { makeRun } from '../export/makeRun.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();
const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
const code = `export { predictAll } from './test/runtime/page.ts';`;

/** Number of pictures, the last ones, that are PNG files with transparent pixels. */
const TRANSPARENT = 12;

/** Width, height and EXIF orientation of the photos. */
const SIZES: readonly (readonly [number, number, number?])[] = [
  ...Array.from({ length: 86 }, (_, i) => [130 + ((i * 37) % 240), 100 + ((i * 53) % 190)] as const),
  ...Array.from({ length: 9 }, (_, i) => [100 + i, 60 + 3 * i] as const), // that are enlarged along one axis or both
  [200, 150, 3],
  // More than four times the input, which a JPEG decoder could shrink.
  [960, 720],
  [960, 720, 3],
  [720, 960, 6],
  [320, 240, 8],
  ...Array.from({ length: TRANSPARENT }, (_, i) => [70 + 31 * i, 90 + 17 * i] as const),
];

/** Writes a photo: soft shapes, noise, and a gradient; as PNG with a soft hole, for which a canvas keeps fewer levels. */
async function writePhoto(file: string, [width, height, orientation]: (typeof SIZES)[number]): Promise<void> {
  const random = randomStream(1, file);
  const raw = (side: number) => ({ raw: { width: side, height: side, channels: 3 as const } });
  const soft = Uint8Array.from({ length: 12 * 12 * 3 }, () => random.integer(0, 256));
  const pixels = await sharp(soft, raw(12)).resize(width, height, { fit: 'fill' }).raw().toBuffer();
  const noisy = pixels.map((value, i) =>
    Math.min(255, Math.max(0, value + random.integer(-20, 21) + Math.round(((i % (width * 3)) / width) * 10))),
  );
  const opaque = sharp(noisy, { raw: { width, height, channels: 3 } });
  if (file.endsWith('.png')) {
    const raw = { width, height, channels: 1 } as const;
    const opacity = Uint8Array.from({ length: width * height }, (_, i) =>
      Math.min(255, Math.hypot((i % width) - width / 2, Math.floor(i / width) - height / 2) * 8),
    );
    await opaque.joinChannel(Buffer.from(opacity), { raw }).png().toFile(file);
    return;
  }
  const image = opaque.jpeg({ quality: 90 });
  await (orientation === undefined ? image : image.withMetadata({ orientation })).toFile(file);
}

let page: Page | undefined;
afterAll(() => page?.close());

inBrowserSlowly(
  'Chromium finds in 100 photos and 12 transparent pictures what Node finds in them, to half a pixel',
  async () => {
    const data = `format: synthetic, root: ${folder}/drawn, train: { images: 2 }, val: { images: 2 }, size: [96, 128]`;
    const recipe = `task: detection\ndata: { ${data} }\nmodel: { backbone: ${tinyBackbone} }\n`;
    const run = await makeRun(join(folder, 'run'), recipe);
    const { directory } = await exportModel(run, { format: 'onnx', out: join(folder, 'model') });
    const photos = join(folder, 'photos');
    mkdirSync(photos);
    const names = SIZES.map((_, i) => `${i}.${i < SIZES.length - TRANSPARENT ? 'jpg' : 'png'}`);
    for (const [i, size] of SIZES.entries()) await writePhoto(join(photos, names[i]!), size);
    const scoreThreshold = 0.02;
    const model = await openModel(directory, { scoreThreshold });
    const expected: (readonly FoundObject[])[] = [];
    for (const name of names) expected.push((await model.predict(join(photos, name))) as FoundObject[]);
    model.dispose();
    page = await openPage({ code, folders: { model: directory, ort, photos } });
    const found = await page.call<FoundObject[][]>(
      'predictAll',
      names.map((name) => `/photos/${name}`),
      scoreThreshold,
    );
    for (const [kind, atLeast, share] of [
      ['jpg', 1000, 0.999],
      ['png', 100, 0.99],
    ] as const) {
      const off = expected.flatMap((list, i) =>
        names[i]!.endsWith(kind) ? list.map((one) => nearest(one, found[i]!)) : [],
      );
      expect(off.length).toBeGreaterThan(atLeast);
      expect(off.filter((pixels) => pixels < 0.5).length / off.length).toBeGreaterThan(share);
    }
  },
  300_000,
);

/** The largest difference of a side to that box of the same class that is nearest. */
function nearest({ category, box }: FoundObject, others: readonly FoundObject[]): number {
  const same = others.filter((other) => other.category === category);
  return Math.min(...same.map((other) => Math.max(...other.box.map((value, i) => Math.abs(value - box[i]!)))));
}
