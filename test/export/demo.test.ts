import { beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import sharp from 'sharp';
import { exportDemo } from '../../src/api/exportDemo.js';
import { run as command } from '../../src/cli/program.js';
import type { DemoContent, DemoGlobal, PackedModel } from '../../src/demo/content.js';
import { samplesIn } from '../../src/export/demo/samples.js';
import type { ExportedDemo } from '../../src/export/demo/exportDemo.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { bundleDemo } from './bundleDemo.js';
import { makeRun } from './makeRun.js';

const folder = temporaryFolder();
let run: string;
let made: ExportedDemo;
let demo: DemoGlobal;

/** Runs scripts of the folder as a page does. */
async function runScripts(directory: string, scripts: readonly string[]): Promise<DemoGlobal> {
  const page: Record<string, unknown> = { Map };
  page.globalThis = page;
  for (const script of scripts) runInNewContext(await readFile(join(directory, script), 'utf8'), page);
  return page.finetuneDemo as DemoGlobal;
}

beforeAll(async () => {
  await bundleDemo();
  const data = `format: synthetic, root: ${folder}/drawn, train: { images: 2 }, val: { images: 3 }, size: [64, 96], categories: [fish, house]`;
  run = await makeRun(
    join(folder, 'run'),
    `task: detection\ndata: { ${data} }\nmodel: { backbone: ${tinyBackbone} }\n`,
  );
  made = await exportDemo(run, { samples: 2 });
  const { content } = await runScripts(made.directory, ['content.js']);
  demo = await runScripts(made.directory, ['content.js', ...content!.models.map(({ script }) => script)]);
});

describe('the folder of a page', () => {
  test('is complete: every link, script and file of an engine is there', async () => {
    expect(made.directory).toBe(join(run, 'demo'));
    expect(made.samplesFrom).toBe('drawn');
    const html = await readFile(join(made.directory, 'index.html'), 'utf8');
    const links = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link!);
    const { models, engines } = demo.content!;
    expect(models).toMatchObject([{ name: 'tfjs', engine: 'tensorflow' }]);
    const scripts = [...models.map(({ script }) => script), ...Object.values(engines).flat()];
    const local = links.filter((link) => !link.startsWith('https://www.npmjs.com/'));
    expect(local).toEqual(expect.arrayContaining(['content.js', 'page.js', 'page.css', 'icon.svg', 'licenses.txt']));
    for (const path of [...local, ...scripts]) expect((await stat(join(made.directory, path))).size).toBeGreaterThan(0);
    const files = await readdir(made.directory, { recursive: true, withFileTypes: true });
    const listed = files.filter((file) => file.isFile());
    expect(listed).toHaveLength(local.length + scripts.length + 1);
    const sizes = await Promise.all(listed.map(({ parentPath, name }) => stat(join(parentPath, name))));
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBe(made.bytes);
  });

  test('has the files whose hashes the card names', () => {
    const { card, files } = demo.packed.get('models/tfjs.js') as PackedModel;
    const hashes = Object.entries(files).map(([name, base64]) => [
      name,
      createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex'),
    ]);
    expect(Object.fromEntries(hashes)).toEqual(card.files);
    expect(made.card.files).toEqual(card.files);
  });

  test('connects to nothing, and runs only its own scripts', async () => {
    const html = await readFile(join(made.directory, 'index.html'), 'utf8');
    const [, policy] = /Content-Security-Policy" content="([^"]+)"/.exec(html)!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).toContain('connect-src blob:;');
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
    expect(html).not.toMatch(/<script[^>]*>[^<]|\sstyle="|\son\w+="/);
  });

  test('has samples without the names of their files, and what cameras wrote into them', async () => {
    const { samples } = demo.content as DemoContent;
    expect(samples.map(({ name }) => name)).toEqual(['Sample 1', 'Sample 2']);
    for (const { jpeg, width, height } of samples) {
      const found = await sharp(Buffer.from(jpeg, 'base64')).metadata();
      expect(found).toMatchObject({ format: 'jpeg', width, height });
      expect(found.exif).toBeUndefined();
    }
  });
});

test('options that exclude each other, and other formats, are refused with exit code 2', async () => {
  for (const flags of [
    ['--demo', '--for', 'frigate'],
    ['--demo', '--format', 'tflite'],
    ['--demo', '--samples', '-1'],
    ['--format', 'onnx', '--samples', '3'],
    ['--format', 'onnx', '--with', 'other'],
    ['--demo'], // its folder is there
  ])
    expect(await command(['export', run, ...flags])).toBe(2);
});

test('samples of a folder are the first images that can be read', async () => {
  const images = join(folder, 'images');
  await mkdir(images);
  await writeFile(join(images, 'a.jpg'), 'no image');
  const pixels = { create: { width: 40, height: 30, channels: 3, background: 'red' } } as const;
  for (const name of ['b.jpg', 'c.png']) await sharp(pixels).toFile(join(images, name));
  const samples = await samplesIn(images, { most: 1, size: [64, 96], signal: undefined });
  expect(samples).toMatchObject([{ name: 'Sample 1', width: 40, height: 30 }]);
});
