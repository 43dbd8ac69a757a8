import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { hostileServers, weights } from './hostileServers.js';

const net = hostileServers();
const { serve, open, fails, expectUntouched } = net;

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
      expect((await open(`${url}/${name}`)).file.startsWith(net.cacheDir)).toBe(true);
    }
    expect((await open(`${url}/${'long/'.repeat(100)}x.safetensors`)).file.startsWith(net.cacheDir)).toBe(true);
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
    response.write(weights);
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

  it('without end that cannot be weights stops at once', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 16))) sent += 1 << 16;
      };
      response.on('drain', pour);
      pour();
    });
    expect((await fails(`${url}/x.safetensors`, { bytes: 2 ** 40 })).code).toBe('E_WEIGHTS_FORMAT');
    expect(sent).toBeLessThan(1 << 26); // what the sockets buffer
    await expectUntouched();
  });

  it('that is a part, though the whole was asked for, is refused', async () => {
    const head = { 'content-range': 'bytes 5-9/100' };
    const url = await serve((_, response) => response.writeHead(206, head).end('xxxxx'));
    expect((await fails(`${url}/x.safetensors`)).code).toBe('E_WEIGHTS_HTTP');
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
      const timer = setInterval(() => response.write('x'), 20);
      request.on('close', () => clearInterval(timer));
    });
    const error = await fails(`${url}/x.safetensors`);
    expect(error.code).toBe('E_WEIGHTS_NETWORK');
    expect(error.message).toMatch(/too slow: \d+ bytes came in 0.8 s/);
    expect(requests).toBe(1); // the next try would be as slow
    await expectUntouched();
  });

  it('that comes a little at a time, each in a connection of its own, is given up', async () => {
    const url = await serve((request, response) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      const head = { etag: '"1"', 'content-length': 1e6 - from, 'content-range': `bytes ${from}-999999/1000000` };
      response.writeHead(from > 0 ? 206 : 200, head).write('x', () => setTimeout(() => request.socket.destroy(), 200));
    });
    expect((await fails(`${url}/x.safetensors`)).message).toMatch(/after 2 tries/);
  });

  it('takes no longer than it may', async () => {
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 1e6 });
      response.write(weights);
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
      response.write(weights, () => state === 'closed' && setTimeout(() => request.socket.destroy(), 200));
    });
    const error = await fails(`${url}/x.safetensors`);
    expect(error.code).toBe('E_WEIGHTS_SIZE');
    expect(error.message).toContain(`announces ${weights.byteLength + 100} bytes, and ended twice after`);
    await expectUntouched();
  });

  it.each([
    ['', 'E_WEIGHTS_SIZE', 'has no bytes'],
    ['\n<!DOCTYPE html><title>Log in</title>', 'E_WEIGHTS_FORMAT', 'is a web page'],
    ['<html>', 'E_WEIGHTS_FORMAT', 'is a web page'],
    ['MZ\0\0', 'E_WEIGHTS_FORMAT', 'does not begin like a file of weights'],
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
    expect(error.message).toContain('no byte came for 0.5 s after 2 tries');
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
