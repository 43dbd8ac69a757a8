import { availableParallelism } from 'node:os';
import type { EngineName } from '../engine/names.js';
import { FinetuneError } from '../errors.js';
import type { OpenModelOptions } from '../predict/openModel.js';
import type { ProgressEvent } from '../progress.js';

export interface ServeOptions {
  /** Address to listen on. Default: 127.0.0.1, which only this machine reaches. Another one needs a `token`, or
   *  `withoutToken`. */
  readonly host?: string;
  /** Port to listen on; 0 takes a free one. Default: 8000. */
  readonly port?: number;
  /** Secret that every request must carry as `Authorization: Bearer …` (or as `api_key` in a DeepStack form). */
  readonly token?: string;
  /** Says that everyone who reaches the address may use the server. */
  readonly withoutToken?: boolean;
  /** Folder below which `{"file": …}` of a request may name images. Default: none. */
  readonly files?: string;
  /** Origins of web pages that may use the server from a browser, such as `https://example.org`; `*` for all pages.
   *  Default: none but its own page. */
  readonly cors?: readonly string[];
  readonly scoreThreshold?: number;
  readonly tiles?: OpenModelOptions['tiles'];
  /** Default: ONNX Runtime where it can be loaded, else the best engine that is in place. */
  readonly engine?: EngineName | 'auto';
  /** Threads that each run the model on their own; 0 runs it in the thread of the server. Default: one for each processor
   *  with ONNX Runtime, else 0. */
  readonly workers?: number;
  /** Images that are run in one call when so many wait. Default: 1, since more workers gain more than larger batches on
   *  processors. */
  readonly batch?: number;
  /** Milliseconds that an image waits for others to fill a batch. Default: 0. */
  readonly batchDelay?: number;
  /** Bytes of a request at most. Default: 16 MiB. */
  readonly mostBytes?: number;
  /** Pixels of an image at most. Default: 50 million. */
  readonly mostPixels?: number;
  /** Requests that wait or are computed at most; the others are answered with 503. Default: 64. */
  readonly mostRequests?: number;
  /** Requests of one address in a minute at most; the others are answered with 429. Default: no limit. */
  readonly rate?: number;
  /** Milliseconds after which a request is given up. Default: 30000. */
  readonly timeLimit?: number;
  /** Milliseconds between two looks for a new best model; 0 for none. Default: 2000. */
  readonly watchEvery?: number;
  /** Stops the server as `close` does. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: ProgressEvent) => void;
}

/** Values of the options that a request meets. */
export interface Limits {
  readonly token: string | undefined;
  readonly files: string | undefined;
  readonly cors: readonly string[];
  readonly isLoopback: boolean;
  readonly mostBytes: number;
  readonly mostPixels: number;
  readonly mostRequests: number;
  readonly rate: number | undefined;
  readonly timeLimit: number;
}

export const DEFAULTS = {
  host: '127.0.0.1',
  port: 8000,
  batch: 1,
  batchDelay: 0,
  mostBytes: 16 * 2 ** 20,
  mostPixels: 50_000_000,
  mostRequests: 64,
  timeLimit: 30_000,
  watchEvery: 2000,
} as const;

/** Number of workers with ONNX Runtime: each computes with one thread. */
export const usualWorkers = (): number => availableParallelism();

/** Whether only this machine reaches an address. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);

/** The limits that options set. Throws E_USAGE for an address that others reach without a token. */
export function limitsOf(options: ServeOptions): Limits {
  const { host = DEFAULTS.host, token, withoutToken = false, files, rate, cors = [] } = options;
  const { mostBytes, mostPixels, mostRequests, timeLimit } = { ...DEFAULTS, ...withoutUndefined(options) };
  if (!isLoopback(host) && token === undefined && !withoutToken)
    throw new FinetuneError({
      code: 'E_USAGE',
      message: `${host} is an address that other machines reach, and there is no token`,
      fix: 'set a token (--token-file), or say that everyone may use the server (--without-token)',
    });
  checkOrigins(cors);
  const limits = { mostBytes, mostPixels, mostRequests, rate, timeLimit };
  return { token, files, cors, isLoopback: isLoopback(host), ...limits };
}

/** An origin is the scheme, the host and the port of an address, as a browser sends it. */
function checkOrigins(origins: readonly string[]): void {
  const wrong = origins.find((one) => one !== '*' && one !== 'null' && originOf(one) !== one);
  if (wrong === undefined) return;
  const right = originOf(wrong);
  throw new FinetuneError({
    code: 'E_USAGE',
    message: `"${wrong}" is no origin of a web page: it has a scheme, a host and perhaps a port, and no path`,
    fix: `write --cors ${right ?? 'https://example.org'}, or --cors '*' for all pages`,
  });
}

function originOf(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, host } = new URL(text);
  return host === '' ? undefined : `${protocol}//${host}`;
}

const withoutUndefined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
