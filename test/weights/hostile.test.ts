import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FinetuneError } from '../../src/errors.js';
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js';
import type { Limits } from '../../src/weights/sources/limits.js';
import { openSource } from '../../src/weights/sources/source.js';

const weights = encodeSafetensors(new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]));
const limits: Limits = { tries: 2, backoff: 1, idle: 150, rate: 10_000, window: 400, total: 5000, bytes: 1 << 20 };

/** A folder with the cache and a file that no server may touch. */
let top: string;
let cacheDir: string;
const servers: Server[] = [];
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'hostile-'));
  cacheDir = join(top, 'a', 'b', 'cache');
  await mkdir(cacheDir, { recursive: true });
  await writeFile(join(top, 'victim.safetensors'), 'mine');
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that answers as it likes. Returns its address, with the host of the machine that `host` names. */
async function serve(answer: RequestListener, host = '127.0.0.1'): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

const open = (uri: string, more: Partial<Limits> = {}) => openSource(uri, { cacheDir, limits: { ...limits, ...more } });
async function fails(uri: string, more: Partial<Limits> = {}): Promise<FinetuneError> {
  const error = await open(uri, more).then(
    () => Promise.reject(new Error('it did not fail')),
    (reason: unknown) => reason as FinetuneError,
  );
  expect(error.name).toBe('FinetuneError');
  return error;
}
/** Every file below `top`. */
async function files(): Promise<string[]> {
  const found = await readdir(top, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map(({ name }) => name);
}
async function expectUntouched(): Promise<void> {
  expect(await files()).toEqual(['victim.safetensors']);
  expect(await readFile(join(top, 'victim.safetensors'), 'utf8')).toBe('mine');
}

describe('a name in a URL', () => {
  it.each([
    '..%2f..%2f..%2fvictim.safetensors',
    '..%2F..%2f..%2F..%2fnew.safetensors',
    '..%5c..%5cvictim.safetensors',
    '%2fetc%2fx',
    '%2e%2e%2fx',
    'a%2fb',
    'good%00.safetensors',
    'good%0a.safetensors',
    'good%E0%A4%A.safetensors',
    '%ff%fe.safetensors',
    'C%3ax.safetensors',
    'x.safetensors%3astream',
    'con.safetensors',
    'x.safetensors.',
    'x%20',
    `${'x'.repeat(300)}.safetensors`,
  ])('%s is refused before anything is asked for', async (name) => {
    let requests = 0;
    const url = await serve((_, response) => (requests++, response.end(weights)));
    expect((await fails(`${url}/${name}`)).code).toBe('E_WEIGHTS_URI');
    expect(requests).toBe(0);
    await expectUntouched();
  });

  it('that only looks dangerous stays in the cache', async () => {
    const url = await serve((_, response) => response.end(weights));
    for (const name of ['..%252f..%252fx.safetensors', '%7ehome.safetensors', '...safetensors']) {
      expect((await open(`${url}/${name}`)).file.startsWith(cacheDir)).toBe(true);
    }
    expect((await open(`${url}/${'long/'.repeat(100)}x.safetensors`)).file.startsWith(cacheDir)).toBe(true);
  });

  it.each([
    'https://me:secret@host/x.pth',
    'https://me@host/x.pth',
    'https://[/x.pth',
    'http:///',
    'https://',
    'https://host/\0',
    'file://host/x',
    'file:///a%2fb',
    'file:a\0b',
    'run:a\0b',
    '\ud800',
    'hf:../..',
    'hf:a/..',
    'hf:a/b@../c',
    'hf:a/b/../c',
    'hf:a/b/con',
  ])('%j is refused at once', async (uri) => {
    expect((await fails(uri)).code).toBe('E_WEIGHTS_URI');
    await expectUntouched();
  });
});

describe('a body', () => {
  const flood: RequestListener = (request, response) => {
    const pour = () => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
    };
    response.on('drain', pour);
    request.on('close', () => response.destroy());
    pour();
  };

  it('without end stops at the limit', async () => {
    const error = await fails(`${await serve(flood)}/x.safetensors`);
    expect(error.code).toBe('E_WEIGHTS_SIZE');
    expect(error.message).toContain('a body without end; a file may have at most 1048576 bytes');
    await expectUntouched();
  });

  it('that is announced to be too long is not read', async () => {
    const url = await serve((_, response) => response.writeHead(200, { 'content-length': 2 ** 40 }).flushHeaders());
    expect((await fails(`${url}/x.safetensors`)).message).toContain('announces 1099511627776 bytes');
    await expectUntouched();
  });

  it('that is compressed is refused, whatever would come out of it', async () => {
    const bomb = gzipSync(Buffer.alloc(1 << 24));
    for (const encoding of ['gzip', 'deflate', 'br', 'GZIP']) {
      const url = await serve((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(bomb));
      const error = await fails(`${url}/x.safetensors`);
      expect(error.code).toBe('E_WEIGHTS_HTTP');
      expect(error.message).toContain(`compressed body (${encoding})`);
    }
    const identity = { 'content-encoding': 'identity' };
    await expectUntouched();
    await open(`${await serve((_, response) => response.writeHead(200, identity).end(weights))}/x.safetensors`);
  });

  it('that drips is given up', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      response.writeHead(200, { 'content-length': 1e6 });
      const timer = setInterval(() => response.write('x'), 10);
      request.on('close', () => clearInterval(timer));
    });
    const error = await fails(`${url}/x.safetensors`);
    expect(error.code).toBe('E_WEIGHTS_NETWORK');
    expect(error.message).toMatch(/too slow: \d+ bytes came in 0.4 s/);
    expect(requests).toBe(1); // the next try would be as slow
    await expectUntouched();
  });

  it('that comes a little at a time, each in a connection of its own, is given up', async () => {
    const url = await serve((request, response) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      const head = { etag: '"1"', 'content-length': 1e6 - from, 'content-range': `bytes ${from}-999999/1000000` };
      response.writeHead(from > 0 ? 206 : 200, head).write('x', () => setTimeout(() => request.socket.destroy(), 20));
    });
    expect((await fails(`${url}/x.safetensors`)).message).toMatch(/after 2 tries/);
  });

  it('takes no longer than it may', async () => {
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 1e6 });
      const timer = setInterval(() => response.write(Buffer.alloc(5000)), 10);
      request.on('close', () => clearInterval(timer));
    });
    const error = await fails(`${url}/x.safetensors`, { total: 250, bytes: 2e6 });
    expect(error.code).toBe('E_WEIGHTS_NETWORK');
    expect(error.message).toContain('not complete after 0.25 s');
    await expectUntouched();
  });

  it.each(['open', 'closed'])('shorter than announced, with the connection %s, is told', async (state) => {
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-length': weights.byteLength + 100 });
      response.write(weights, () => state === 'closed' && setTimeout(() => request.socket.destroy(), 20));
    });
    const error = await fails(`${url}/x.safetensors`);
    expect(error.code).toBe('E_WEIGHTS_SIZE');
    expect(error.message).toContain(`announces ${weights.byteLength + 100} bytes, and ended twice after`);
    await expectUntouched();
  });

  it.each([
    ['', 'E_WEIGHTS_SIZE', 'has no bytes'],
    ['\n<!DOCTYPE html><title>Log in</title>', 'E_WEIGHTS_HTTP', 'is a web page'],
    ['<html>', 'E_WEIGHTS_HTTP', 'is a web page'],
  ])('%j is no file of weights', async (body, code, message) => {
    const error = await fails(`${await serve((_, response) => response.end(body))}/x.safetensors`);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    await expectUntouched();
  });

  it.each(['no head', 'no body'])('that never comes (%s) is given up', async (what) => {
    const url = await serve((_, response) => {
      if (what === 'no body') response.writeHead(200, { 'content-length': 10 }).flushHeaders();
    });
    const error = await fails(`${url}/x.safetensors`);
    expect(error.code).toBe('E_WEIGHTS_NETWORK');
    expect(error.message).toContain('no byte came for 0.15 s after 2 tries');
    await expectUntouched();
  });

  it('of a server that wants a long rest is not waited for', async () => {
    const url = await serve((_, response) => response.writeHead(429, { 'retry-after': '100000' }).end());
    expect((await fails(`${url}/x.safetensors`)).message).toContain('asks to wait for 100000 s');
  });

  it('of a server that does not speak HTTP is not asked for again', async () => {
    let requests = 0;
    const url = await serve((request) => {
      requests++;
      request.socket.end('SSH-2.0-OpenSSH_9.6\r\n');
    });
    expect((await fails(`${url}/x.safetensors`)).code).toBe('E_WEIGHTS_NETWORK');
    expect(requests).toBe(1);
  });
});

describe('a redirect', () => {
  const to = (location: string) =>
    serve((_, response) => void response.writeHead(302, { location }).end('<html>moved</html>'));

  it.each([
    'file:///etc/passwd',
    'data:application/octet-stream,hello',
    'ftp://host/x',
    'http://[',
    'http://me:secret@127.0.0.1/x',
    'http://example.org/x.safetensors',
    '/..%2fx',
    '/%E0%A4%A',
  ])('to %s is refused', async (location) => {
    const error = await fails(`${await to(location)}/x.safetensors`);
    expect(error.code).toBe('E_WEIGHTS_REDIRECT');
    expect(error.message).not.toContain('secret');
    await expectUntouched();
  });

  it('in a circle ends', async () => {
    let count = 0;
    const url = await serve((_, response) => void response.writeHead(302, { location: `/${count++}` }).end());
    expect((await fails(`${url}/x.safetensors`)).code).toBe('E_WEIGHTS_REDIRECT');
    expect(count).toBeLessThan(20);
  });

  it('gets the file, and the other host gets nothing of the first request', async () => {
    const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
    const other = await serve((request, response) => {
      seen.push({ url: request.url, headers: request.headers });
      response.end(weights);
    }, '127.0.0.2');
    const url = await to(`${other}/blob`);
    const source = await open(`${url}/x.safetensors?token=SECRET`);
    expect(source.sha256).toBe(createHash('sha256').update(weights).digest('hex'));
    expect(source.file.endsWith('x.safetensors')).toBe(true);
    expect(JSON.stringify(seen)).not.toContain('SECRET');
    expect(Object.keys(seen[0]!.headers)).not.toEqual(expect.arrayContaining(['authorization', 'cookie', 'referer']));
  });
});

describe('the shards of a model.json', () => {
  const model = (paths: unknown[]) =>
    JSON.stringify({ format: 'graph-model', modelTopology: {}, weightsManifest: [{ paths, weights: [] }] });

  it.each([
    [['../x.bin']],
    [['..\\x.bin']],
    [['\\\\127.0.0.2\\x.bin']],
    [['//127.0.0.2/x.bin']],
    [['http://127.0.0.2/x.bin']],
    [['%2e%2e/x.bin']],
    [['..%2fx.bin']],
    [['a%2fb.bin']],
    [['/etc/passwd']],
    [['a?b']],
    [['a#b']],
    [['a\0b']],
    [['con']],
    [['']],
    [['.']],
    [['a', 'a/x']],
    [['model.json']],
  ])('%j are refused', async (paths) => {
    await expectRefused(paths);
  });

  it('are not too many', async () => {
    await expectRefused(Array.from({ length: 20_000 }, (_, i) => `${i}.bin`));
  });

  async function expectRefused(paths: string[]): Promise<void> {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.end(model(paths));
    });
    const error = await fails(`${url}/m/model.json`);
    expect(error.code).toBe('E_TFJS_SHARD');
    expect(asked).toEqual(['/m/model.json']);
    await expectUntouched();
  }

  it('come from its folder, with its query', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.end(request.url?.includes('model.json') ? model(['a.bin', 'b/c%20d.bin', 'a.bin']) : 'xyz');
    });
    const { dir } = await open(`${url}/m/model.json?tfjs-format=file`);
    expect(asked).toEqual(['model.json', 'a.bin', 'b/c%20d.bin'].map((name) => `/m/${name}?tfjs-format=file`));
    expect(await readFile(join(dir, 'b', 'c%20d.bin'), 'utf8')).toBe('xyz');
  });

  it('may have no more bytes together than one file', async () => {
    const url = await serve((request, response) => {
      response.end(request.url?.includes('model.json') ? model(['a', 'b', 'c']) : Buffer.alloc(400_000));
    });
    expect((await fails(`${url}/model.json`)).code).toBe('E_WEIGHTS_SIZE');
    await expectUntouched();
  });

  it('that are lists in a list, or no text, are refused', async () => {
    const url = await serve((_, response) => response.end(model([['a'], 1])));
    expect((await open(`${url}/model.json`)).file).toContain('model.json'); // the decoder refuses it
  });
});

describe('a secret in a URL', () => {
  it('is in no file of the cache, no name and no message; a run that masked it finds the file again', async () => {
    const url = await serve((request, response) => {
      if (request.url?.includes('/404')) response.writeHead(404);
      response.end(weights);
    });
    const said: string[] = [];
    const onProgress = (event: object) => said.push(JSON.stringify(event));
    const source = await openSource(`${url}/x.safetensors?token=SECRET&v=1`, { cacheDir, limits, onProgress });
    expect(source.uri).toBe(`${url}/x.safetensors?token=***&v=***`);
    said.push((await fails(`${url}/404?token=SECRET`)).message);
    said.push((await fails(`${url}/x.safetensors?token=SECRET#sha256=${'0'.repeat(64)}`)).message);
    for (const file of await readdir(cacheDir, { recursive: true, withFileTypes: true })) {
      said.push(file.name);
      if (file.isFile()) said.push(await readFile(join(file.parentPath, file.name), 'latin1'));
    }
    expect(said.filter((text) => text.includes('SECRET'))).toEqual([]);

    const masked = await openSource(source.uri, { cacheDir, limits });
    expect(masked).toEqual(source);
    await openSource(`${url}/x.safetensors?token=OTHER&v=1`, { cacheDir, limits });
    expect((await fails(source.uri)).code).toBe('E_WEIGHTS_URI'); // two files could be meant
    expect((await fails(`${url}/y.safetensors?token=***`)).message).toContain('lacks its secret');
  });
});
