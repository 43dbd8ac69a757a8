import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the server treats one path; each request takes the next one, and the last one stays. */
type Behaviour =
  | 'serve'
  | { readonly cutAfter: number } // the connection breaks after this many bytes of the body, once they are read
  | { readonly status: number; readonly headers?: Record<string, string> }
  | { readonly claim: Record<string, string> } // headers that do not match the body
  | 'no ranges' // answers a Range request with 200
  | 'wrong range' // continues at another byte than was asked for
  | 'silent' // sends nothing
  | 'hangs' // sends headers, and then no byte
  | 'reset'; // the connection breaks before the headers

export interface LocalServer {
  readonly url: string;
  readonly files: Map<string, Uint8Array>;
  /** By path. */
  readonly behaviour: Map<string, Behaviour[]>;
  readonly requests: {
    readonly path: string;
    readonly range: string | undefined;
    readonly authorization: string | undefined;
  }[];
  etag: string | undefined;
  close(): Promise<void>;
}

/** A server on this machine that serves a few files and misbehaves as it is told. */
export async function openServer(): Promise<LocalServer> {
  const server = createServer((request, response) => answer(local, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const local: LocalServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: new Map(),
    behaviour: new Map(),
    requests: [],
    etag: '"1"',
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return local;
}

function answer(local: LocalServer, request: IncomingMessage, response: ServerResponse): void {
  const [path = ''] = (request.url ?? '').split('?');
  const { range, authorization } = request.headers;
  local.requests.push({ path, range, authorization });
  const queue = local.behaviour.get(path) ?? [];
  const behaviour = (queue.length > 1 ? queue.shift() : queue[0]) ?? 'serve';
  if (behaviour === 'silent') return;
  if (behaviour === 'reset') return void request.socket.destroy();
  if (typeof behaviour === 'object' && 'status' in behaviour) {
    return void response.writeHead(behaviour.status, behaviour.headers).end('an answer that is no file');
  }
  const file = local.files.get(path);
  if (!file) return void response.writeHead(404).end('not found');

  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const ifRange = request.headers['if-range'];
  const whole = range === undefined || behaviour === 'no ranges' || (ifRange !== undefined && ifRange !== local.etag);
  if (!whole && from >= file.byteLength) return void response.writeHead(416).end();
  const start = whole ? 0 : from;
  const body = file.subarray(start);
  const claimed = behaviour === 'wrong range' ? start + 1 : start;
  response.writeHead(whole ? 200 : 206, {
    'content-length': body.byteLength,
    ...(local.etag !== undefined && { etag: local.etag }),
    ...(!whole && { 'content-range': `bytes ${claimed}-${file.byteLength - 1}/${file.byteLength}` }),
    ...(typeof behaviour === 'object' && 'claim' in behaviour && behaviour.claim),
  });
  if (behaviour === 'hangs') {
    response.flushHeaders();
    return;
  }
  if (typeof behaviour === 'object' && 'cutAfter' in behaviour) {
    response.write(body.subarray(0, behaviour.cutAfter), () => setTimeout(() => request.socket.destroy(), 150));
    return;
  }
  response.end(body);
}
