import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
};
const EMPTY_PAGE = '<!doctype html><meta charset="utf-8"><title>test</title>';

/** Serves folders on the loopback interface: /name/path is the file `path` of the folder `name`, and / is an empty page. */
export async function serveFolders(
  folders: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const find = (path: string): string | undefined => {
    const [, name = '', ...rest] = normalize(decodeURIComponent(path)).split('/');
    const folder = folders[name];
    return folder === undefined ? undefined : join(folder, ...rest);
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html').end(EMPTY_PAGE);
      return;
    }
    const file = find(pathname);
    (file === undefined ? Promise.reject(new Error('no such folder')) : readFile(file)).then(
      (content) => {
        response.setHeader('content-type', TYPES[extname(pathname)] ?? 'application/octet-stream').end(content);
      },
      () => {
        response.writeHead(404).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
