/** Times the way from photos to a page: `finetune <folder>`, `finetune export --demo`, and the page in Chromium until it shows what
 *  it found in its first sample.
 *
 *      node test/bench/photosToPage.mjs PHOTOS [--run RUN]
 *
 *  PHOTOS is a folder of photos with labels in any layout, such as 60 photos of raccoons with YOLO labels
 *  (datasets/raccoon.md). With --run the training is left out, and the page is made of that run. Needs dist/ and Chromium. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { run: { type: 'string' } } });
const [photos] = positionals;
if (photos === undefined && values.run === undefined)
  throw new Error('usage: node test/bench/photosToPage.mjs PHOTOS [--run RUN]');
const folder = mkdtempSync(join(tmpdir(), 'photos-to-page-'));
const run = values.run ?? join(folder, 'run');
const page = join(folder, 'page');
const program = fileURLToPath(new URL('../../bin/finetune.mjs', import.meta.url));
const seconds = {};

function finetune(...args) {
  const { status } = spawnSync(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`finetune ${args.join(' ')} failed`);
}

async function timed(name, work) {
  const start = performance.now();
  await work();
  seconds[name] = Math.round((performance.now() - start) / 100) / 10;
}

/** Opens the page from the disk, and returns when it has looked at its first sample. */
async function openPage() {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const opened = await browser.newPage();
    await opened.goto(pathToFileURL(join(page, 'index.html')).href);
    // A function, because the page's policy refuses to evaluate strings.
    await opened.waitForFunction(() => globalThis.finetuneDemo?.found, undefined, { timeout: 120_000 });
  } finally {
    await browser.close();
  }
}

try {
  if (values.run === undefined) await timed('train', () => finetune(photos, '--out', run));
  await timed('export', () => finetune('export', run, '--demo', '--out', page));
  await timed('open', openPage);
  const total = Object.values(seconds).reduce((sum, one) => sum + one, 0);
  console.log(JSON.stringify({ ...seconds, total: Math.round(total * 10) / 10 }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
