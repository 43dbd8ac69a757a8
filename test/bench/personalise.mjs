/** Measures what a visitor's ten photos teach a model in a page: examples/personalise/ in Chromium.
 *
 *      node test/bench/personalise.mjs PHOTOS [--photos 5] [--check 25]
 *
 *  PHOTOS has train/<class>/ and val/<class>/ of two classes, such as ants and bees (datasets/hymenoptera.md). The model is the
 *  published EfficientNet-Lite0 with the 1000 classes of ImageNet. Before, an answer counts as right if its first class has the
 *  singular of the folder's name: "ant" for ants. Then the page learns from the first photos of train/, and is asked about the
 *  first of val/. Needs dist/ and Chromium. */
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { createModel, openModel } from '../../dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { photos: { type: 'string', default: '5' }, check: { type: 'string', default: '25' } },
});
const [root] = positionals;
if (root === undefined) throw new Error('usage: node test/bench/personalise.mjs PHOTOS');
const classes = readdirSync(join(root, 'train')).sort();
const photosOf = (part, name, most) =>
  readdirSync(join(root, part, name))
    .filter((file) => /[.](jpe?g|png)$/i.test(file))
    .sort()
    .slice(0, most)
    .map((file) => join(root, part, name, file));
const examples = classes.map((name) => photosOf('train', name, Number(values.photos)));
const held = classes.flatMap((name) => photosOf('val', name, Number(values.check)).map((file) => ({ name, file })));

const folder = mkdtempSync(join(tmpdir(), 'personalise-'));
try {
  await makePage();
  console.log(`frozen: ${(await scoreFrozen()).toFixed(3)} of ${held.length} photos`);
  const { score, said } = await learnInPage();
  console.log(`${said}: ${score.toFixed(3)}`);
} finally {
  rmSync(folder, { recursive: true });
}

/** Bundles the example, with the model and the WebAssembly beside it. */
async function makePage() {
  const example = fileURLToPath(new URL('../../examples/personalise/', import.meta.url));
  const classifier = await createModel({
    task: 'classification',
    backbone: 'tf_efficientnet_lite0',
    classes: 'imagenet-1k',
  });
  await classifier.load('efficientnet_lite0.google');
  await classifier.save(join(folder, 'model.safetensors'));
  classifier.dispose();
  const personalise = fileURLToPath(new URL('../../dist/personalise.js', import.meta.url));
  await build({
    entryPoints: [join(example, 'main.ts')],
    outfile: join(folder, 'main.js'),
    bundle: true,
    format: 'esm',
    alias: { 'tfjs-finetune/personalise': personalise },
    logLevel: 'error',
  });
  writeFileSync(
    join(folder, 'index.html'),
    readFileSync(join(example, 'index.html'), 'utf8').replace('main.ts', 'main.js'),
  );
  cpSync(join(example, 'style.css'), join(folder, 'style.css'));
  const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  mkdirSync(join(folder, 'wasm'));
  for (const file of readdirSync(wasm))
    if (file.endsWith('.wasm')) cpSync(join(wasm, file), join(folder, 'wasm', file));
}

/** The share of photos whose first class of the model that learned nothing is right. */
async function scoreFrozen() {
  const model = await openModel(join(folder, 'model.safetensors'));
  let right = 0;
  for (const { name, file } of held) {
    const [best] = await model.predict(file);
    if (best.category.split(/\W+/).includes(name.replace(/s$/, ''))) right++;
  }
  model.dispose();
  return right / held.length;
}

async function learnInPage() {
  const types = { html: 'text/html', js: 'text/javascript', css: 'text/css', wasm: 'application/wasm' };
  const server = createServer((request, response) => {
    const file = join(folder, basename(dirname(request.url)) === 'wasm' ? 'wasm' : '', basename(request.url));
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.setHeader('content-type', types[file.split('.').at(-1)] ?? 'application/octet-stream');
    response.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    await page.goto(`http://127.0.0.1:${server.address().port}/index.html`);
    await page.getByText('The model is ready').waitFor();
    await page.context().setOffline(true);
    for (const [i, name] of classes.entries()) {
      await page.locator(`#name-${i}`).fill(name);
      await page.locator(`#photos-${i}`).setInputFiles(examples[i]);
    }
    await page.locator('#learn').click();
    await page.getByText(/Learned from/).waitFor();
    const said = await page.locator('#status').textContent();
    await page.locator('#check').setInputFiles(held.map(({ file }) => file));
    await page
      .locator('#answers li')
      .nth(held.length - 1)
      .waitFor();
    const found = await page.locator('#answers li').evaluateAll((items) => items.map((item) => item.dataset.category));
    return { score: found.filter((category, i) => category === held[i].name).length / held.length, said };
  } finally {
    await browser.close();
    server.close();
  }
}
