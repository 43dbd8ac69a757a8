import { FinetuneError } from '../../errors.js';
import { fetchVia, routeOf, type Fetch } from '../../fetch/proxy.js';
import { isLoopback } from '../../fetch/url.js';
import { collect } from './collect.js';

export interface FetchImageOptions {
  readonly signal?: AbortSignal | undefined;
  /** Sends each request. Default: as the environment says (routeOf). */
  readonly fetch?: Fetch | undefined;
  /** Milliseconds that an image may take; default: 60,000. */
  readonly timeout?: number | undefined;
}

const MAX_REDIRECTS = 10;

/** The text as the address of an image on a server; undefined if it is a path. */
export function addressOf(text: string): URL | undefined {
  return /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}

/** The bytes of an image behind an http: or https: address. A server elsewhere cannot redirect to this machine.
 *  Throws E_IMAGE_FETCH, E_IMAGE_DECODE for a body that is too large, and the signal's reason when aborted. */
export async function fetchImage(
  url: URL,
  { signal, fetch = fetchVia(routeOf(process.env)), timeout = 60_000 }: FetchImageOptions = {},
): Promise<Uint8Array> {
  const late = AbortSignal.timeout(timeout);
  const either = signal ? AbortSignal.any([signal, late]) : late;
  try {
    const response = await follow(url, (at) => fetch(at, { headers: {}, signal: either }));
    return await collect((response.body ?? []) as AsyncIterable<Uint8Array>, url.href);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof FinetuneError) throw error;
    if (late.aborted) throw failed(url, `it was not complete after ${timeout / 1000} s`);
    const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
    throw failed(url, cause?.code ?? cause?.message ?? message, error);
  }
}

async function follow(url: URL, ask: (at: URL) => Promise<Response>): Promise<Response> {
  let at = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await ask(at);
    if (response.ok) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null || !URL.canParse(location, at.href))
      throw failed(url, `the server answered ${response.status} ${response.statusText}`.trimEnd());
    const next = new URL(location, at);
    if (!/^https?:$/.test(next.protocol) || (isLoopback(next) && !isLoopback(at)))
      throw failed(url, `the server redirects to ${next.href}, which is not followed`);
    at = next;
  }
  throw failed(url, `the server redirects more than ${MAX_REDIRECTS} times`);
}

const failed = ({ href }: URL, why: string, cause?: unknown): FinetuneError =>
  new FinetuneError(
    { code: 'E_IMAGE_FETCH', message: `the image cannot be fetched: ${why}`, where: { file: href } },
    { cause },
  );
