import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { inBrowserSlowly, openChromium } from '../browser/chromium.js';
import { serveFolders } from '../browser/serve.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { makeRun } from '../export/makeRun.js';
import { tinyBackbone } from '../tinyBackbone.js';

/** Builds the examples from the packed package, as a person does who copies them into an empty folder. They share one
 *  node_modules/, which lies above them. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = temporaryFolder();
const names = ['node', 'page', 'personalise'] as const;
const isSlow = process.env.FINETUNE_SLOW === '1';
const slowly = isSlow ? test : test.skip;
let run: string;

const npm = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

beforeAll(async () => {
  for (const name of ['train/dark', 'train/light', 'val/dark', 'val/light']) {
    mkdirSync(join(folder, 'pictures', name), { recursive: true });
    for (let i = 0; i < 5; i++) {
      const level = (name.endsWith('dark') ? 40 : 200) + 9 * i;
      const background = { r: level, g: level, b: level };
      const picture = sharp({ create: { width: 40, height: 32, channels: 3, background } });
      await picture.png().toFile(join(folder, 'pictures', name, `${i}.png`));
    }
  }
  if (!isSlow) return;
  run = await makeRun(
    join(folder, 'run'),
    `task: classification\ndata: { format: imageFolder, root: ${folder}/pictures, size: 32 }\nmodel: { backbone: ${tinyBackbone} }\n`,
  );
  const [{ filename }] = JSON.parse(npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder)) as [
    { filename: string },
  ];
  const packages = names.map((name) => {
    cpSync(join(root, 'examples', name), join(folder, name), { recursive: true });
    return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as Package;
  });
  const wanted = Object.assign({}, ...packages.flatMap((one) => [one.dependencies, one.devDependencies])) as object;
  const dependencies = { ...wanted, 'tfjs-finetune': `file:./${filename}` };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  npm(folder, 'install', '--no-audit', '--no-fund', '--prefer-offline');
}, 600_000);

test('the examples name the versions of this package and of its dependencies', () => {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package & { version: string };
  const known: Readonly<Record<string, string>> = {
    ...own.dependencies,
    ...own.devDependencies,
    'tfjs-finetune': `^${own.version}`,
  };
  for (const name of names) {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(join(root, 'examples', name, 'package.json'), 'utf8'),
    ) as Package;
    for (const [dependency, version] of Object.entries({ ...dependencies, ...devDependencies }))
      expect([dependency, known[dependency] ?? version]).toEqual([dependency, version]);
  }
});

slowly('the page is built', () => {
  npm(join(folder, 'page'), 'run', 'build');
  expect(existsSync(join(folder, 'page', 'dist', 'index.html'))).toBe(true);
});

slowly('the Node script counts', () => {
  const photo = join(folder, 'pictures', 'val', 'dark', '0.png');
  const said = execFileSync(process.execPath, ['count.mjs', run, photo, 'none.jpg'], {
    cwd: join(folder, 'node'),
    encoding: 'utf8',
  });
  const [first, second] = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { counts?: object; error?: string });
  expect(Object.keys(first!.counts!).sort()).toEqual(['dark', 'light']);
  expect(second!.error).toContain('none.jpg');
});

let browser: Awaited<ReturnType<typeof openChromium>> | undefined;
let server: Awaited<ReturnType<typeof serveFolders>> | undefined;
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

inBrowserSlowly('the page that learns is built, and learns from ten photos without a network', async () => {
  const example = join(folder, 'personalise');
  mkdirSync(join(example, 'public'), { recursive: true });
  cpSync(join(run, 'checkpoints', 'best.safetensors'), join(example, 'public', 'model.safetensors'));
  npm(example, 'run', 'build');
  server = await serveFolders({ page: join(example, 'dist') });
  browser = await openChromium(['--disable-gpu']);
  const page = await browser.context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.url}/page/index.html`);
  await page.getByText('The model is ready').waitFor();
  await browser.context.setOffline(true);
  const photos = (part: string, name: string) =>
    Array.from({ length: 5 }, (_, i) => join(folder, 'pictures', part, name, `${i}.png`));
  for (const [i, name] of ['dark', 'light'].entries()) {
    await page.locator(`#name-${i}`).fill(name);
    await page.locator(`#photos-${i}`).setInputFiles(photos('train', name));
  }
  await page.locator('#learn').click();
  await page.getByText(/Learned from 10 photos in/).waitFor();
  await page.locator('#check').setInputFiles([...photos('val', 'dark'), ...photos('val', 'light')]);
  await page.locator('#answers li').nth(9).waitFor();
  const found = await page
    .locator('#answers li')
    .evaluateAll((items) =>
      items.map((item) => (item as unknown as { dataset: { category: string } }).dataset.category),
    );
  expect(found).toEqual([...Array<string>(5).fill('dark'), ...Array<string>(5).fill('light')]);
});
