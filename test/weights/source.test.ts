import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FinetuneError } from '../../src/errors.js';
import { openSource } from '../../src/weights/sources/source.js';
import { type LocalRegistry, openRegistry, tarball } from './localRegistry.js';

/** What an archive would write outside its folder. */
const escaped = join(tmpdir(), 'tfjs-finetune-escaped.txt');

const failure = async (promise: Promise<unknown>): Promise<FinetuneError> =>
  (await promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error,
  )) as FinetuneError;
const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

describe('file:', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'source-'));
    await writeFile(join(dir, 'best.safetensors'), 'abc');
    await mkdir(join(dir, 'model'));
    await writeFile(join(dir, 'model', 'model.json'), '{}');
  });

  it('opens paths, file: and file:// URIs, relative ones from baseDir', async () => {
    const file = join(dir, 'best.safetensors');
    for (const uri of [file, `file:${file}`, pathToFileURL(file).href, 'best.safetensors', 'file:./best.safetensors']) {
      const source = await openSource(uri, { baseDir: dir });
      expect(source).toEqual({ uri, file, dir, sha256: sha256('abc') });
    }
  });

  it('finds model.json in a folder', async () => {
    const source = await openSource('model', { baseDir: dir });
    expect(source.file).toBe(join(dir, 'model', 'model.json'));
  });

  it('checks #sha256=', async () => {
    await openSource(`best.safetensors#sha256=${sha256('abc').toUpperCase()}`, { baseDir: dir });
    const wrong = openSource(`best.safetensors#sha256=${sha256('abd')}`, { baseDir: dir });
    expect((await failure(wrong)).code).toBe('E_WEIGHTS_SHA256');
    expect((await failure(openSource('x#sha256=12'))).code).toBe('E_WEIGHTS_URI');
  });

  it('says what may have been meant', async () => {
    const { problems } = await failure(openSource('bast.safetensors', { baseDir: dir }));
    expect(problems).toMatchObject([{ code: 'E_WEIGHTS_PATH', fix: 'did you mean "best.safetensors"?' }]);
    expect((await failure(openSource('.', { baseDir: dir }))).code).toBe('E_WEIGHTS_PATH');
    const fixOf = async (name: string) => (await failure(openSource(name, { baseDir: dir }))).problems[0]!.fix;
    expect(await fixOf('ssdlite_mobilenet_v2.coc')).toBe('did you mean "ssdlite_mobilenet_v2.coco"?');
    expect(await fixOf('resnet50')).toBe('the weights of resnet50 are called resnet50.a1_in1k, resnet50.tv_in1k');
    expect(await fixOf('moblenetv2_100')).toBe('the weights of mobilenetv2_100 are called mobilenetv2_100.ra_in1k');
    expect(await fixOf('nothing like it')).toBe('name a file, or weights that finetune models lists');
    expect(await fixOf('runs/absent.safetensors')).toBeUndefined();
  });

  it('refuses a scheme that is none', async () => {
    const { problems } = await failure(openSource('nmp:a@1.0.0/b'));
    expect(problems).toMatchObject([{ code: 'E_WEIGHTS_SCHEME', fix: 'did you mean "npm"?' }]);
  });

  it('stops before it starts', async () => {
    const signal = AbortSignal.abort();
    expect((await failure(openSource('best.safetensors', { baseDir: dir, signal }))).name).toBe('AbortError');
  });
});

describe('npm:', () => {
  let registry: LocalRegistry;
  let cacheDir: string;
  const environment = { ...process.env };
  const open = (uri: string) => openSource(uri, { cacheDir });
  const code = async (uri: string) => (await failure(open(uri))).code;

  beforeAll(async () => {
    registry = await openRegistry({
      '@scope/good': {
        '1.0.0': tarball([
          ['package/model/model.json', '{}'],
          ['package/model/a.bin', 'aaa'],
        ]),
      },
      climbs: {
        '1.0.0': tarball([
          ['package/ok.json', '{}'],
          ['package/../../escaped.txt', 'bad'],
        ]),
      },
      absolute: { '1.0.0': tarball([[escaped, 'bad']]) },
      links: {
        '1.0.0': tarball([
          ['package/link', { linkTo: '/etc' }],
          ['package/link/escaped.txt', 'bad'],
        ]),
      },
    });
  });
  beforeEach(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'cache-'));
    process.env['npm_config_registry'] = registry.url;
    process.env['npm_config_fetch_retries'] = '0';
    process.env['npm_config_cache'] = join(cacheDir, 'npm'); // the cache of npm itself
  });
  afterAll(async () => {
    process.env = environment;
    await registry.close();
  });

  it('fetches once, then works offline, and leaves no litter', async () => {
    const uri = 'npm:@scope/good@1.0.0/model/model.json';
    const first = await open(uri);
    expect(await readFile(join(first.dir, 'a.bin'), 'utf8')).toBe('aaa');
    expect(first.sha256).toBe(sha256(registry.packages['@scope/good']!['1.0.0']!));
    expect(await readdir(join(cacheDir, 'staging'))).toEqual([]);
    process.env['npm_config_registry'] = 'http://127.0.0.1:9/';
    expect(await open(uri)).toEqual(first);
    expect(await open('npm:@scope/good@1.0.0/model')).toMatchObject({ file: first.file });
  });

  it('is fetched by two at once without harm', async () => {
    const uri = 'npm:@scope/good@1.0.0/model/model.json';
    const [a, b] = await Promise.all([open(uri), open(uri)]);
    expect(a).toEqual(b);
    expect(existsSync(join(a.dir, 'a.bin'))).toBe(true);
  });

  it('fetches again what was damaged', async () => {
    const uri = 'npm:@scope/good@1.0.0/model/model.json';
    const { dir } = await open(uri);
    await writeFile(join(dir, 'a.bin'), 'aab');
    const steps: string[] = [];
    await openSource(uri, { cacheDir, onProgress: (event) => steps.push('message' in event ? event.message : '') });
    expect(steps[0]).toContain('damaged');
    expect(await readFile(join(dir, 'a.bin'), 'utf8')).toBe('aaa');
    await rm(join(dir, 'a.bin'));
    process.env['npm_config_registry'] = 'http://127.0.0.1:9/';
    expect(await code(uri)).toBe('E_WEIGHTS_NETWORK');
  });

  it('says what is wrong with the path, the version, the package', async () => {
    const path = await failure(open('npm:@scope/good@1.0.0/model/modal.json'));
    expect(path.problems).toMatchObject([{ code: 'E_WEIGHTS_PATH', fix: 'did you mean "model/model.json"?' }]);
    const none = await failure(open('npm:@scope/good@1.0.0'));
    expect(none.problems).toMatchObject([{ code: 'E_WEIGHTS_PATH', fix: 'it has model/model.json' }]);
    const version = await failure(open('npm:@scope/good@1.0.1/model.json'));
    expect(version.problems).toMatchObject([{ code: 'E_WEIGHTS_PACKAGE', fix: 'did you mean "1.0.0"?' }]);
    expect(await code('npm:no-such-package@1.0.0/model.json')).toBe('E_WEIGHTS_PACKAGE');
  });

  it.each([
    'npm:good',
    'npm:good@latest/x',
    'npm:good@^1.0.0/x',
    'npm:--help@1.0.0/x',
    'npm:a b@1.0.0/x',
    'npm:$(id)@1.0.0/x',
  ])('refuses %s before npm sees it', async (uri) => {
    expect(await code(uri)).toBe('E_WEIGHTS_URI');
  });

  it.each(['climbs', 'absolute', 'links'])('refuses an archive that %s out of its folder', async (name) => {
    expect(await code(`npm:${name}@1.0.0/ok.json`)).toBe('E_WEIGHTS_ARCHIVE');
    expect(await readdir(join(cacheDir, 'staging'))).toEqual([]);
    expect(existsSync(escaped)).toBe(false);
    expect((await readdir(cacheDir, { recursive: true })).filter((file) => file.endsWith('escaped.txt'))).toEqual([]);
  });

  it('can be stopped', async () => {
    const controller = new AbortController();
    const opening = openSource('npm:@scope/good@1.0.0/model', {
      cacheDir,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect((await failure(opening)).name).toBe('AbortError');
    expect(await readdir(join(cacheDir, 'staging'))).toEqual([]);
  });
});
