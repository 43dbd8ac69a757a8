import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import axe from 'axe-core';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import type { BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { exportDemo } from '../../src/api/exportDemo.js';
import { finetune } from '../../src/api/functions.js';
import { openModel } from '../../src/api/openModel.js';
import type { DemoContent, DemoGlobal } from '../../src/demo/content.js';
import type { FoundObject } from '../../src/tasks/found.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { bundleDemo } from '../export/bundleDemo.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { inBrowserSlowly, openChromium } from './chromium.js';
import { serveFolders } from './serve.js';

/** The page of `finetune export --demo`, of a detector that a short training made: from the disk, from a server, offline, with a
 *  camera, and without a mouse. */

const folder = temporaryFolder();
let run: string;
let directory: string;
let samples: DemoContent['samples'];
let server: Awaited<ReturnType<typeof serveFolders>>;
let browser: { readonly context: BrowserContext; close(): Promise<void> };

beforeAll(async () => {
  if (process.env.FINETUNE_SLOW !== '1') return;
  await bundleDemo();
  const recipe = join(folder, 'recipe.yaml');
  const data = `format: synthetic, root: ${folder}/drawn, train: { images: 32 }, val: { images: 4 }, size: [64, 64], categories: [fish, house]`;
  await writeFile(
    recipe,
    `task: detection\nout: ${folder}/runs\ndata: { ${data} }\nmodel: { backbone: ${tinyBackbone} }\ntrain: { epochs: 4, batch: 8, lr: { value: 0.02, perBatch: 8 } }\n`,
  );
  run = (await finetune(recipe)).directory;
  ({ directory } = await exportDemo(run, { samples: 4 }));
  const page: { finetuneDemo?: { content: DemoContent } } & Record<string, unknown> = { Map };
  page.globalThis = page;
  runInNewContext(await readFile(join(directory, 'content.js'), 'utf8'), page);
  ({ samples } = page.finetuneDemo!.content);
  const video = join(folder, 'camera.mjpeg');
  const frame = await sharp(Buffer.from(samples[0]!.jpeg, 'base64'))
    .resize(320, 240, { fit: 'fill' })
    .jpeg()
    .toBuffer();
  await writeFile(video, Buffer.concat([frame, frame]));
  server = await serveFolders({ demo: directory });
  browser = await openChromium([
    '--disable-gpu',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${video}`,
  ]);
}, 300_000);
afterAll(async () => {
  await (browser as typeof browser | undefined)?.close();
  await (server as typeof server | undefined)?.close();
});

beforeEach(() => (browser as typeof browser | undefined)?.context.setOffline(false));

const LEAST = 0.05;

/** Opens the page, and waits until it has looked at the first sample. */
async function open(address: string): Promise<{ readonly page: Page; readonly messages: string[] }> {
  const page = await browser.context.newPage();
  page.setDefaultTimeout(120_000);
  const messages: string[] = [];
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  page.on('request', (request) => {
    if (!/^(file|blob|data):/.test(request.url()) && !request.url().startsWith(server.url))
      messages.push(`asks for ${request.url()}`);
  });
  await page.goto(address);
  await page.locator('html[data-ready=true]').waitFor({ state: 'attached' });
  return { page, messages };
}

/** Does something, and waits until the page has looked at an image. */
async function afterLooking(page: Page, act: () => Promise<unknown>): Promise<FoundObject[]> {
  await page.evaluate('delete finetuneDemo.found');
  await act();
  // A function, because the page's policy refuses to evaluate strings.
  await page.waitForFunction(() => (globalThis as unknown as { finetuneDemo: DemoGlobal }).finetuneDemo.found);
  return page.evaluate('finetuneDemo.found');
}

const setThreshold = (page: Page) => afterLooking(page, () => page.locator('#threshold').fill(String(LEAST)));
const look = (page: Page, sample: number) =>
  afterLooking(page, () => page.locator('#samples button').nth(sample).click());

/** The largest difference of a side to that box of the same class that is nearest. */
function nearest({ category, box }: FoundObject, others: readonly FoundObject[]): number {
  const same = others.filter((other) => other.category === category);
  return Math.min(...same.map((other) => Math.max(...other.box.map((value, i) => Math.abs(value - box[i]!)))));
}

inBrowserSlowly('from the disk, without a network, it finds what predict finds, to half a pixel', async () => {
  await browser.context.setOffline(true);
  const { page, messages } = await open(pathToFileURL(join(directory, 'index.html')).href);
  await setThreshold(page);
  const model = await openModel(run, { scoreThreshold: LEAST });
  let boxes = 0;
  for (const [i, { jpeg }] of samples.entries()) {
    const expected = (await model.predict(Buffer.from(jpeg, 'base64'))) as FoundObject[];
    const found = await look(page, i);
    expect(found).toHaveLength(expected.length);
    for (const one of expected) expect(nearest(one, found)).toBeLessThan(0.5);
    boxes += expected.length;
  }
  model.dispose();
  expect(boxes).toBeGreaterThan(3);
  expect(messages).toEqual([]);
  await page.close();
});

inBrowserSlowly('from a path of a server it goes on when the server is gone, and uses the camera', async () => {
  const { page, messages } = await open(`${server.url}/demo/index.html`);
  await browser.context.setOffline(true);
  await setThreshold(page);
  expect((await look(page, 1)).length).toBeGreaterThan(0);
  await afterLooking(page, () => page.locator('#camera').click());
  expect(await page.locator('#video').isVisible()).toBe(true);
  expect(await page.locator('#latency').textContent()).toMatch(/ ms$/);
  expect(await page.locator('#camera').getAttribute('aria-pressed')).toBe('true');
  await page.locator('#camera').click();
  expect(await page.locator('#video').isHidden()).toBe(true);
  expect(messages).toEqual([]);
  await page.close();
});

inBrowserSlowly('it takes a dropped image, and says what is no image', async () => {
  const { page } = await open(`${server.url}/demo/index.html`);
  await page.locator('#choose').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
  await page.locator('#problem:not([hidden])').waitFor();
  expect(await page.locator('#problem').textContent()).toContain('a.txt is no image');
  await afterLooking(page, () =>
    page.evaluate(`(() => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob(${JSON.stringify(samples[2]!.jpeg)}), (one) => one.charCodeAt(0));
      data.items.add(new File([bytes], 'dropped.jpg', { type: 'image/jpeg' }));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    })()`),
  );
  expect(await page.locator('#still').getAttribute('aria-label')).toBe('dropped.jpg');
  await page.close();
});

inBrowserSlowly('it can be used with the keyboard, and axe-core finds nothing', async () => {
  for (const [colorScheme, width] of [
    ['light', 1200],
    ['dark', 1200],
    ['light', 390],
  ] as const) {
    const { page } = await open(`${server.url}/demo/index.html`);
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      'axe.run()',
    );
    expect(violations.map(({ id, nodes }) => [id, nodes[0]!.html])).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await page.locator('#threshold').focus();
    const before = Number(await page.locator('#threshold-value').textContent());
    await page.keyboard.press('ArrowRight');
    expect(Number(await page.locator('#threshold-value').textContent())).toBeCloseTo(before + 0.01, 5);
    await page.locator('#samples button').nth(3).focus();
    await page.keyboard.press('Enter');
    await page.locator('#samples button:nth-child(4)[aria-pressed=true]').waitFor();
    await page.close();
  }
});
