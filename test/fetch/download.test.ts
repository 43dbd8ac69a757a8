import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FinetuneError } from '../../src/errors.js';
import type { ProgressEvent } from '../../src/progress.js';
import { download, type DownloadOptions } from '../../src/fetch/download.js';
import { type LocalServer, openServer } from './localServer.js';

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const sha256 = createHash('sha256').update(content).digest('hex');
const limits = { tries: 3, backoff: 1, idle: 300 };
const failure = async (promise: Promise<unknown>): Promise<FinetuneError> =>
  (await promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error,
  )) as FinetuneError;

let server: LocalServer;
let file: string;
let url: URL;
beforeEach(async () => {
  server = await openServer();
  server.files.set('/w.bin', content);
  url = new URL(`${server.url}/w.bin`);
  file = join(await mkdtemp(join(tmpdir(), 'download-')), 'w.part');
});
afterEach(() => server.close());

const run = (options: DownloadOptions = {}) => download(url, file, { limits, ...options });
const ranges = () => server.requests.map(({ range }) => range);
const behave = (...behaviour: Parameters<LocalServer['behaviour']['set']>[1]) =>
  server.behaviour.set('/w.bin', behaviour);
async function expectContent(): Promise<void> {
  expect(
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
  ).toBe(sha256);
}

describe('a download', () => {
  it('arrives, and tells its bytes', async () => {
    const events: ProgressEvent[] = [];
    expect(await run({ onProgress: (event) => events.push(event) })).toBe(sha256);
    await expectContent();
    expect(events.at(-1)).toEqual({ phase: 'weights', done: 300_000, total: 300_000, text: 'bytes of w.bin' });
  });

  it('goes on after each break, as long as bytes come', async () => {
    behave(...Array.from({ length: 6 }, () => ({ cutAfter: 40_000 })), 'serve');
    expect(await run()).toBe(sha256);
    expect(ranges()).toHaveLength(7);
    expect(ranges().at(-1)).toMatch(/^bytes=\d{6}-$/); // fetch may drop bytes that it has not delivered yet
  });

  it('survives a busy server, a broken connection and silence', async () => {
    behave({ status: 503, headers: { 'retry-after': '0' } }, 'reset', 'serve');
    expect(await run()).toBe(sha256);
    behave('hangs', 'serve');
    file += '2';
    expect(await run()).toBe(sha256);
  });

  it('gives up after some tries without a byte, and keeps what it has', async () => {
    behave({ cutAfter: 1000 }, 'reset');
    const error = await failure(run());
    expect(error.code).toBe('E_WEIGHTS_NETWORK');
    expect(error.message).toContain('1000 bytes are kept');
    behave('serve');
    expect(await run()).toBe(sha256); // the next call
    expect(ranges().at(-1)).toBe('bytes=1000-');
    await expectContent();
  });

  it('waits no longer than it must for a silent server', async () => {
    behave('silent');
    expect((await failure(run({ limits: { tries: 2, backoff: 1, idle: 50 } }))).message).toContain('no byte came');
  });

  it('begins anew where the server cannot go on, or the file has changed', async () => {
    behave({ cutAfter: 1000 }, 'no ranges');
    expect(await run()).toBe(sha256);
    file += '2';
    behave({ cutAfter: 1000 }, 'reset', 'reset', 'reset');
    await failure(run());
    server.etag = '"2"';
    behave('serve');
    expect(await run()).toBe(sha256);
    await expectContent();
  });

  it('does not mix two versions of a file that has no validator', async () => {
    server.etag = undefined;
    behave({ cutAfter: 1000 }, 'serve');
    expect(await run()).toBe(sha256);
    expect(ranges()).toEqual([undefined, undefined]);
    file += '2';
    behave({ cutAfter: 1000 }, 'serve');
    await run({ sha256 }); // the hash proves that the content is the same, so the download may resume
    expect(ranges().at(-1)).toBe('bytes=1000-');
  });

  it('does not believe a range it did not ask for', async () => {
    behave({ cutAfter: 1000 }, 'wrong range', 'serve');
    expect(await run()).toBe(sha256);
    await expectContent();
  });

  it('begins anew once if what it went on with was wrong', async () => {
    await writeFile(file, new Uint8Array(5000));
    expect(await run({ sha256 })).toBe(sha256);
    await expectContent();
    await writeFile(`${file}2`, new Uint8Array(400_000)); // a partial file that is longer than the whole file
    file += '2';
    expect(await run({ sha256 })).toBe(sha256);
  });

  it('refuses a wrong hash and keeps nothing of it', async () => {
    const error = await failure(run({ sha256: 'f'.repeat(64) }));
    expect(error.code).toBe('E_WEIGHTS_SHA256');
    expect(error.message).toContain(sha256);
    expect(await stat(file).catch(() => undefined)).toBeUndefined();
  });

  it('checks what the site announces', async () => {
    behave({ claim: { 'x-size': '5' } });
    const announced = (headers: Headers) => ({ bytes: Number(headers.get('x-size')) });
    expect((await failure(run({ announced }))).code).toBe('E_WEIGHTS_SIZE');
    expect((await failure(run({ announced: () => ({ sha256: 'a' }) }))).code).toBe('E_WEIGHTS_SHA256');
  });

  it('does not take a body shorter than its length for whole', async () => {
    behave({ claim: { 'content-length': '300001' } });
    const error = await failure(run({ limits: { ...limits, idle: 100 } }));
    expect(error.code).toBe('E_WEIGHTS_SIZE');
    expect(error.message).toContain('announces 300001 bytes, and ended twice after 300000');
    expect(await stat(file).catch(() => undefined)).toBeUndefined();
  });

  it.each([
    [404, 'E_WEIGHTS_NOT_FOUND'],
    [401, 'E_WEIGHTS_FORBIDDEN'],
    [418, 'E_WEIGHTS_HTTP'],
    [500, 'E_WEIGHTS_NETWORK'],
  ])('explains status %d', async (status, code) => {
    behave({ status });
    expect((await failure(run())).code).toBe(code);
    expect(server.requests).toHaveLength(status === 500 ? 3 : 1);
  });

  it('follows redirects, but not in circles', async () => {
    const to = (location: string) => ({ status: 302, headers: { location } });
    server.behaviour
      .set('/a', [to('/b')])
      .set('/b', [to(`${server.url}/w.bin`)])
      .set('/c', [to('/c')]);
    expect(await download(new URL(`${server.url}/a`), file, { limits })).toBe(sha256);
    expect((await failure(download(new URL(`${server.url}/c`), file, { limits }))).code).toBe('E_WEIGHTS_REDIRECT');
    server.behaviour.set('/d', [to('file:///etc/passwd')]);
    expect((await failure(download(new URL(`${server.url}/d`), file, { limits }))).code).toBe('E_WEIGHTS_REDIRECT');
  });

  it('says at once that there is no network', async () => {
    const gone = await openServer();
    await gone.close();
    const error = await failure(download(new URL(`${gone.url}/w.bin`), file));
    expect(error.problems).toMatchObject([
      { code: 'E_WEIGHTS_NETWORK', fix: expect.stringContaining('file:') as unknown },
    ]);
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('can be stopped, and goes on later', async () => {
    behave({ cutAfter: 1000 }, 'silent');
    const controller = new AbortController();
    const onProgress = () => setTimeout(() => controller.abort(), 50);
    expect((await failure(run({ signal: controller.signal, onProgress }))).name).toBe('AbortError');
    behave('serve');
    expect(await run()).toBe(sha256);
    expect(ranges().at(-1)).toBe('bytes=1000-');
  });
});
