import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FinetuneError } from '../../src/errors.js';
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js';
import { openSource } from '../../src/weights/sources/source.js';
import type { SourceOptions } from '../../src/weights/sources/sourceOptions.js';
import { type LocalServer, openServer } from '../fetch/localServer.js';
import { writeMiniModel } from './miniGraphModel.js';
import { readTfjs } from './readers.js';

const failure = async (promise: Promise<unknown>): Promise<FinetuneError> =>
  (await promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error,
  )) as FinetuneError;
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const weights = encodeSafetensors(new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]));
const environment = { ...process.env };

let server: LocalServer;
let cacheDir: string;
beforeEach(async () => {
  server = await openServer();
  cacheDir = await mkdtemp(join(tmpdir(), 'cache-'));
  process.env['HF_ENDPOINT'] = `${server.url}/`;
});
afterEach(() => server.close());
afterAll(() => {
  process.env = environment;
});
const open = (uri: string, options: SourceOptions = {}) => openSource(uri, { cacheDir, ...options });
const paths = () => server.requests.map(({ path }) => path);

describe('https:', () => {
  beforeEach(() => void server.files.set('/dir/w.safetensors', weights));
  const url = () => `${server.url}/dir/w.safetensors`;

  it('fetches once, then works offline, and leaves no litter', async () => {
    const first = await open(url());
    expect(first).toMatchObject({ uri: url(), sha256: hash(weights) });
    expect(new Uint8Array(await readFile(first.file))).toEqual(weights);
    expect(await readdir(join(cacheDir, 'partial'))).toEqual([]);
    expect(await readdir(join(cacheDir, 'staging'))).toEqual([]);
    await server.close();
    expect(await open(url())).toEqual(first);
    expect(await open(`${url()}#sha256=${hash(weights)}`)).toMatchObject({ file: first.file });
    server = await openServer();
  });

  it('is fetched by two at once only once', async () => {
    const [a, b] = await Promise.all([open(url()), open(url())]);
    expect(a).toEqual(b);
    expect(paths()).toHaveLength(1);
  });

  it('takes over from a process that was killed', async () => {
    await mkdir(join(cacheDir, 'partial'));
    const key = createHash('sha256').update(url()).digest('hex').slice(0, 32);
    const lock = join(cacheDir, 'partial', `${key}.lock`);
    await writeFile(lock, 'elsewhere 1 abc');
    await utimes(lock, new Date(0), new Date(0));
    await open(url());
    expect(existsSync(lock)).toBe(false);
  });

  it('fetches again for another hash, and refuses what has not got it', async () => {
    await open(url());
    expect((await failure(open(`${url()}#sha256=${'0'.repeat(64)}`))).code).toBe('E_WEIGHTS_SHA256');
    const newer = encodeSafetensors(new Map([['w', { shape: [1], data: Float32Array.of(3) }]]));
    server.files.set('/dir/w.safetensors', newer);
    expect((await open(url())).sha256).toBe(hash(weights)); // the URL alone stands for what was fetched
    expect((await open(`${url()}#sha256=${hash(newer)}`)).sha256).toBe(hash(newer));
    expect(await readdir(join(cacheDir, 'sha256'))).toHaveLength(2);
  });

  it('keeps one content under two names', async () => {
    server.files.set('/other.safetensors', weights);
    const [a, b] = [await open(url()), await open(`${server.url}/other.safetensors`)];
    expect(a.dir).toBe(b.dir);
    expect(new Uint8Array(await readFile(b.file))).toEqual(weights);
    expect(await open(url())).toEqual(a);
  });

  it('fetches the shards of a model.json', async () => {
    const file = await writeMiniModel();
    const dir = join(file, '..');
    for (const name of await readdir(dir)) server.files.set(`/m/${name}`, await readFile(join(dir, name)));
    const source = await open(`${server.url}/m/model.json?tfjs-format=file`);
    expect((await readTfjs(source.file)).tensors.get('w')?.shape).toEqual([2, 3]);
    await open(`${server.url}/m/model.json?tfjs-format=file`);
    expect(paths()).toHaveLength(3);
  });

  it('refuses shards outside the folder', async () => {
    const manifest = [{ paths: ['../../a.bin'], weights: [] }];
    server.files.set('/model.json', Buffer.from(JSON.stringify({ weightsManifest: manifest })));
    expect((await failure(open(`${server.url}/model.json`))).code).toBe('E_TFJS_SHARD');
  });

  it('refuses plain http: to other machines without a hash', async () => {
    expect((await failure(open('http://example.org/w.pth'))).code).toBe('E_WEIGHTS_URI');
    expect((await failure(open('https://'))).code).toBe('E_WEIGHTS_URI');
  });
});

describe('hf:', () => {
  it('takes model.safetensors of main, then works offline', async () => {
    server.files.set('/timm/tiny.a_in1k/resolve/main/model.safetensors', weights);
    const source = await open('hf:timm/tiny.a_in1k');
    expect(source).toMatchObject({ uri: 'hf:timm/tiny.a_in1k', sha256: hash(weights) });
    expect(source.file.endsWith('model.safetensors')).toBe(true);
    process.env['HF_ENDPOINT'] = 'http://127.0.0.1:1';
    expect(await open('hf:timm/tiny.a_in1k')).toEqual(source);
    expect(paths()).toHaveLength(1);
  });

  it('else pytorch_model.bin; a revision and a file can be named', async () => {
    server.files.set('/a/b/resolve/v1.0/pytorch_model.bin', weights);
    server.files.set('/a/b/resolve/main/sub/x y.pth', weights);
    server.files.set('/a/b/resolve/main/sub/x%20y.pth', weights);
    expect((await open('hf:a/b@v1.0')).file.endsWith('pytorch_model.bin')).toBe(true);
    await open('hf:a/b@v1.0');
    await open('hf:a/b/sub/x y.pth');
    expect(paths()).toEqual([
      '/a/b/resolve/v1.0/model.safetensors',
      '/a/b/resolve/v1.0/pytorch_model.bin',
      '/a/b/resolve/main/sub/x%20y.pth',
    ]);
  });

  it('checks the hash that the site announces before it redirects', async () => {
    server.files.set('/cdn/1', weights);
    const path = '/a/b/resolve/main/model.safetensors';
    const redirect = (sha256: string) => ({
      status: 302,
      headers: { location: '/cdn/1', 'x-linked-etag': `"${sha256}"`, 'x-linked-size': String(weights.byteLength) },
    });
    server.behaviour.set(path, [redirect('0'.repeat(64))]);
    expect((await failure(open('hf:a/b'))).code).toBe('E_WEIGHTS_SHA256');
    server.behaviour.set(path, [redirect(hash(weights))]);
    expect((await open('hf:a/b')).sha256).toBe(hash(weights));
  });

  it('says what is missing', async () => {
    expect((await failure(open('hf:a/b'))).problems).toMatchObject([
      { code: 'E_WEIGHTS_NOT_FOUND', message: 'a/b has no model.safetensors or pytorch_model.bin at revision main' },
    ]);
    server.behaviour.set('/a/c/resolve/main/model.safetensors', [{ status: 401 }]);
    expect((await failure(open('hf:a/c'))).code).toBe('E_WEIGHTS_FORBIDDEN');
    for (const uri of ['hf:gpt2', 'hf:a/b/../../c', 'hf:a b/c']) {
      expect((await failure(open(uri))).code).toBe('E_WEIGHTS_URI');
    }
  });
});
