import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addressOf, fetchImage } from '../../src/predict/inputs/fetchImage.js';
import { findInputs } from '../../src/predict/inputs/findInputs.js';
import { readInput } from '../../src/predict/inputs/readInput.js';
import { planNames } from '../../src/predict/outputs/planNames.js';

let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer(({ url }, response) => {
    if (url === '/a.jpg') response.end('bytes');
    else if (url === '/moved') response.writeHead(302, { location: '/a.jpg' }).end();
    else if (url === '/circle') response.writeHead(302, { location: '/circle' }).end();
    else if (url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (url === '/cut') response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy());
    else if (url === '/empty') response.end();
    else if (url !== '/never') response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test.each(['/a.jpg', '/moved'])('%s gives the bytes of the image', async (path) => {
  const bytes = await fetchImage(new URL(path, base));
  expect(Buffer.from(bytes).toString()).toBe('bytes');
});

test.each([
  ['/lost', 'the server answered 404 Not Found'],
  ['/circle', 'the server redirects more than 10 times'],
  ['/file', 'the server redirects to file:///etc/passwd, which is not followed'],
  ['/cut', ''],
  ['/never', 'it was not complete after 0.2 s'],
])('%s is an error with the address', async (path, why) => {
  const failed = fetchImage(new URL(path, base), { timeout: path === '/never' ? 200 : 30_000 });
  await expect(failed).rejects.toMatchObject({
    problems: [
      {
        code: 'E_IMAGE_FETCH',
        message: expect.stringContaining(`cannot be fetched: ${why}`),
        where: { file: `${base}${path}` },
      },
    ],
  });
});

test('a server elsewhere cannot redirect to this machine', async () => {
  const fetch = () => Promise.resolve(new Response(null, { status: 302, headers: { location: `${base}/a.jpg` } }));
  await expect(fetchImage(new URL('https://example.org/a.jpg'), { fetch })).rejects.toMatchObject({
    problems: [{ message: expect.stringContaining('which is not followed') }],
  });
});

test('a signal ends the wait with its reason', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(fetchImage(new URL('/never', base), { signal })).rejects.toThrow('enough');
});

test('an address is an input of the command; one that fails is a result', async () => {
  const inputs = await findInputs([`${base}/a.jpg`, `${base}/lost`, `${base}/empty`]);
  const nothing = (async function* () {})();
  const read = await Promise.all(inputs.map(async (input) => ('error' in input ? input : readInput(input, nothing))));
  expect(read[0]).toEqual(new TextEncoder().encode('bytes'));
  expect(read[1]).toMatchObject({ name: `${base}/lost`, error: { code: 'E_IMAGE_FETCH' } });
  expect(read[2]).toMatchObject({ error: { code: 'E_IMAGE_DECODE' } });
});

test('results of addresses are called as the last part of their paths', () => {
  const addresses = [
    'https://a.example/x/photo%20one.png?size=2',
    'http://b.example/',
    'https://a.example/y/%2e%2e%2fz.jpg',
  ];
  const names = planNames([...addresses, 'photos/a.jpg']).map(({ picture }) => picture);
  expect(names).toEqual(['photo one.png', 'b.example.jpg', expect.not.stringContaining('/'), 'a.jpg']);
});

test('a path is no address', () => {
  expect([addressOf('photos/a.jpg'), addressOf('http'), addressOf('file:///a.jpg'), addressOf('C:\\a.jpg')]).toEqual(
    Array<undefined>(4).fill(undefined),
  );
});
