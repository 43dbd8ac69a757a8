import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundleForBrowser, inBrowser, openPage, type Page } from './chromium.js';
import { work } from './work.js';

/** Builds one bundle for the browser of all that must run there, and runs it. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = [
  'bytes',
  'categories',
  'geometry',
  'graph',
  'models',
  'onnx',
  'personalise',
  'quantize',
  'tasks',
  'tensorflow',
  'tflite',
  'weights/decode',
];

/** Code that holds every file of `folders`, and exports what `work.ts` exports. */
function everything(more: readonly string[] = []): string {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
      .map((file) => `./src/${folder}/${file}`),
  );
  const imports = [...files, './src/data/sample.ts', ...more].map((file) => `import '${file}';`);
  return `${imports.join('\n')}\nexport { work } from './test/browser/work.ts';`;
}

type Figures = Awaited<ReturnType<typeof work>>;

/** JavaScript engines may round exp and log in their own ways, so only five digits of each figure are compared. */
function rounded(figures: Figures): unknown {
  const round = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value;
  return JSON.parse(JSON.stringify(figures, round));
}

let expected: unknown;
beforeAll(async () => {
  expected = rounded(await work());
});

test('the bundle runs where nothing exists but the language and text encoding', async () => {
  const code = await bundleForBrowser(everything());
  const found = (await runInNewContext(`${code}; bundle.work()`, { TextEncoder, TextDecoder })) as Figures;
  expect(found.detections.length).toBeGreaterThan(5);
  expect(found.targets.labels!.length).toBeGreaterThan(1);
  expect(found.overlap).toBeCloseTo(4 / 28);
  expect(found.bias).toEqual([0.5, -2]);
  expect(rounded(found)).toEqual(expected);
});

let page: Page | undefined;
afterAll(() => page?.close());
inBrowser('the bundle computes the same figures in a browser as in Node', async () => {
  page = await openPage({ code: everything(), folders: { here: fileURLToPath(new URL('.', import.meta.url)) } });
  expect(rounded(await page.call<Figures>('work'))).toEqual(expected);
  expect((await fetch(`${page.url}/here/work.ts`)).status).toBe(200);
  expect((await fetch(`${page.url}/here/no-such-file`)).status).toBe(404);
  expect((await fetch(`${page.url}/no-such-folder/work.ts`)).status).toBe(404);
});

test('a file that imports a module of Node does not come into the bundle', async () => {
  await expect(bundleForBrowser(everything(['./src/files/lock.ts']))).rejects.toThrow(/node:fs/);
});
