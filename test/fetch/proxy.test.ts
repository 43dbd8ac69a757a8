import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { fetchVia, routeOf } from '../../src/fetch/proxy.js';

/** A proxy that tunnels every connection to one server of this machine, whatever name was asked for. */
let proxy: Server;
let target: Server;
const asked: { readonly to: string; readonly as: string | undefined }[] = [];
const portOf = (server: Server) => (server.address() as AddressInfo).port;
const signal = AbortSignal.timeout(10_000);

beforeAll(async () => {
  target = createServer((request, response) => response.end(`hello ${request.headers.host}`));
  proxy = createServer().on('connect', ({ url = '', headers }, socket) => {
    asked.push({ to: url, as: headers['proxy-authorization'] });
    const tunnel = connect(portOf(target), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      tunnel.pipe(socket).pipe(tunnel);
    });
    socket.on('error', () => tunnel.destroy());
    tunnel.on('error', () => socket.destroy());
  });
  for (const server of [target, proxy])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
});
afterAll(() => {
  for (const server of [target, proxy]) {
    server.closeAllConnections();
    server.close();
  }
});

describe('fetchVia', () => {
  test('a name that only the proxy knows is reached through it, with its password', async () => {
    const httpProxy = `http://me:secret@127.0.0.1:${portOf(proxy)}`;
    const response = await fetchVia({ httpProxy })(new URL('http://mirror.invalid/simple/'), { headers: {}, signal });
    expect(await response.text()).toBe('hello mirror.invalid');
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect(asked).toEqual([{ to: 'mirror.invalid:80', as: basic }]);
  });

  test('this machine, hosts of NO_PROXY and other protocols are asked directly', async () => {
    const before = asked.length;
    const route = {
      httpProxy: `http://127.0.0.1:${portOf(proxy)}`,
      noProxy: 'unknown, .other.invalid,last.invalid:80',
    };
    const local = await fetchVia(route)(new URL(`http://127.0.0.1:${portOf(target)}/`), { headers: {}, signal });
    expect(await local.text()).toMatch(/^hello/);
    for (const url of [
      'http://other.invalid/',
      'http://sub.other.invalid',
      'http://last.invalid',
      'https://mirror.invalid/',
    ])
      await expect(fetchVia(route)(new URL(url), { headers: {}, signal })).rejects.toThrow();
    expect(asked).toHaveLength(before);
    const elsewhere = new URL('http://last.invalid:81/');
    await fetchVia(route)(elsewhere, { headers: {}, signal });
    expect(asked.at(-1)?.to).toBe('last.invalid:81');
  });
});

test('routeOf reads both cases, and what npm passes on', () => {
  expect(routeOf({})).toEqual({ httpProxy: undefined, httpsProxy: undefined, noProxy: undefined });
  expect(routeOf({ HTTPS_PROXY: 'http://a', https_proxy: '', no_proxy: 'b' })).toMatchObject({
    httpsProxy: 'http://a',
    noProxy: 'b',
  });
  expect(routeOf({ npm_config_proxy: 'http://c' })).toMatchObject({ httpProxy: 'http://c', httpsProxy: 'http://c' });
});
