import { afterAll, expect } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { exportModel } from '../../src/api/exportModel.js';
import { openModel } from '../../src/api/openModel.js';
import type { FoundObject } from '../../src/tasks/found.js';
import { inBrowserSlowly, openPage, type Page } from '../browser/chromium.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { makeRun } from '../export/makeRun.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();
const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
const code = `export { predictAll } from './test/runtime/page.ts';`;
const PHOTOS = 100;

let page: Page | undefined;
afterAll(() => page?.close());

inBrowserSlowly(
  'Chromium finds in 100 photos what Node finds in them, to half a pixel',
  async () => {
    const data = `format: synthetic, root: ${folder}/drawn, train: { images: ${PHOTOS} }, val: { images: 2 }, size: [96, 128]`;
    const recipe = `task: detection\ndata: { ${data} }\nmodel: { backbone: ${tinyBackbone} }\n`;
    const run = await makeRun(join(folder, 'run'), recipe);
    const { directory } = await exportModel(run, { format: 'onnx', out: join(folder, 'model') });
    const photos = join(folder, 'drawn');
    const names = readdirSync(photos, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(jpg|png)$/.test(name))
      .slice(0, PHOTOS);
    expect(names.length).toBeGreaterThan(10);
    const scoreThreshold = 0.02;
    const model = await openModel(directory, { scoreThreshold });
    const expected: (readonly FoundObject[])[] = [];
    for (const name of names) expected.push((await model.predict(join(photos, name))) as FoundObject[]);
    model.dispose();
    page = await openPage({ code, folders: { model: directory, ort, photos } });
    const found = await page.call<FoundObject[][]>('predictAll', names.map((name) => `/photos/${name}`), scoreThreshold); // prettier-ignore
    const off = expected.flatMap((list, i) => list.map((one) => nearest(one, found[i]!)));
    const near = off.filter((pixels) => pixels < 0.5).length;
    expect(near / off.length).toBeGreaterThan(0.98); // the scores of random weights are nearly equal, and NMS may turn round
  },
  300_000,
);

/** The largest difference of a side to that box of the same class that is nearest. */
function nearest({ category, box }: FoundObject, others: readonly FoundObject[]): number {
  const same = others.filter((other) => other.category === category);
  return Math.min(...same.map((other) => Math.max(...other.box.map((value, i) => Math.abs(value - box[i]!)))));
}
