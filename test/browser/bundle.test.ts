import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { work } from './work.js';

/** Builds one bundle for the browser of all that must run there, and runs it. */

const CHROMIUM = '/usr/bin/chromium'; // of Debian's package; playwright-core brings no browser
const FLAGS = [
  '--no-sandbox', // Chromium does not start as root with its sandbox
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = ['bytes', 'categories', 'geometry', 'graph', 'models', 'onnx', 'tasks', 'tensorflow', 'weights/decode'];

/** The bundle's code. It holds every file of `folders`, and sets the global `bundle` to what `work.ts` exports.
 *  Rejects if a file imports a module of Node. */
async function bundle(more: readonly string[] = []): Promise<string> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
      .map((file) => `./src/${folder}/${file}`),
  );
  const imports = [...files, './src/data/sample.ts', ...more].map((file) => `import '${file}';`);
  const { outputFiles } = await build({
    stdin: { contents: `${imports.join('\n')}\nexport { work } from './test/browser/work.ts';`, resolveDir: root },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'bundle',
    target: 'es2022',
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

type Figures = Awaited<ReturnType<typeof work>>;

/** JavaScript engines may round exp and log in their own ways, so only five digits of each figure are compared. */
function rounded(figures: Figures): unknown {
  const round = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value;
  return JSON.parse(JSON.stringify(figures, round));
}

let code: string;
let expected: unknown;
beforeAll(async () => {
  code = await bundle();
  expected = rounded(await work());
});

test('the bundle runs where nothing exists but the language and text encoding', async () => {
  const found = (await runInNewContext(`${code}; bundle.work()`, { TextEncoder, TextDecoder })) as Figures;
  expect(found.detections.length).toBeGreaterThan(5);
  expect(found.targets.labels!.length).toBeGreaterThan(1);
  expect(found.overlap).toBeCloseTo(4 / 28);
  expect(found.bias).toEqual([0.5, -2]);
  expect(rounded(found)).toEqual(expected);
});

const inBrowser = existsSync(CHROMIUM) ? test : test.skip;
inBrowser('the bundle computes the same figures in a browser as in Node', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'finetune-browser-'));
  const context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: FLAGS });
  try {
    const page = await context.newPage();
    await page.addScriptTag({ content: code });
    expect(rounded(await page.evaluate<Figures>('bundle.work()'))).toEqual(expected);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});

test('a file that imports a module of Node does not come into the bundle', async () => {
  await expect(bundle(['./src/files/lock.ts'])).rejects.toThrow(/node:fs/);
});
