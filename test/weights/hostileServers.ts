import { afterEach, beforeEach, expect } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FinetuneError } from '../../src/errors.js';
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js';
import type { Limits } from '../../src/fetch/limits.js';
import { openSource } from '../../src/weights/sources/source.js';

export const weights = encodeSafetensors(new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]));
const limits: Limits = { tries: 2, backoff: 1, idle: 500, rate: 10_000, window: 800, total: 5000, bytes: 1 << 20 };
/** For what must come, however busy the machine is. */
const patient: Partial<Limits> = { idle: 20_000, window: 20_000, total: 60_000 };

export interface HostileServers {
  /** The cache, deep in a folder with a file that no server may touch. */
  readonly cacheDir: string;
  /** Starts a server that answers as it likes, and returns its address. */
  readonly serve: (answer: RequestListener, host?: string) => Promise<string>;
  readonly open: (uri: string, more?: Partial<Limits>) => ReturnType<typeof openSource>;
  /** Opens a URI and returns the error, which must be one of ours. */
  readonly fails: (uri: string, more?: Partial<Limits>) => Promise<FinetuneError>;
  /** Expects that no file was left in the cache, or changed elsewhere. */
  readonly expectUntouched: () => Promise<void>;
}

/** Servers for each test of a file, with an empty cache. */
export function hostileServers(): HostileServers {
  const servers: Server[] = [];
  let top = '';
  const cacheDir = () => join(top, 'a', 'b', 'cache');
  beforeEach(async () => {
    top = await mkdtemp(join(tmpdir(), 'hostile-'));
    await mkdir(cacheDir(), { recursive: true });
    await writeFile(join(top, 'victim.safetensors'), 'mine');
  });
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  const openWithin: HostileServers['open'] = (uri, more = {}) =>
    openSource(uri, { cacheDir: cacheDir(), limits: { ...limits, ...more } });
  return {
    get cacheDir() {
      return cacheDir();
    },
    open: (uri, more) => openWithin(uri, { ...patient, ...more }),
    serve: async (answer, host = '127.0.0.1') => {
      const server = createServer(answer);
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      return `http://${host}:${(server.address() as AddressInfo).port}`;
    },
    fails: async (uri, more) => {
      const error = await openWithin(uri, more).then(
        () => Promise.reject(new Error('it did not fail')),
        (reason: unknown) => reason as FinetuneError,
      );
      expect(error.name).toBe('FinetuneError');
      return error;
    },
    expectUntouched: async () => {
      const found = await readdir(top, { recursive: true, withFileTypes: true });
      expect(found.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual(['victim.safetensors']);
      expect(await readFile(join(top, 'victim.safetensors'), 'utf8')).toBe('mine');
    },
  };
}
