import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { FinetuneError } from '../../errors.js';
import type { ProgressEvent } from '../../progress.js';
import { hashFile } from './cache.js';
import { get, networkError, TransientError, unreachable } from './http.js';

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Expected sha256 of the content. */
  readonly sha256?: string | undefined;
  /** Reads hash and size of the content from the first response of the site, if they are there. */
  readonly announced?: (headers: Headers) => { readonly sha256?: string; readonly bytes?: number };
  readonly patience?: Partial<Patience>;
}

interface Patience {
  /** Number of tries in a row without a single byte after which the download fails. */
  readonly tries: number;
  /** Milliseconds before the second try; doubled for each further one. */
  readonly backoff: number;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly idle: number;
}
const PATIENCE: Patience = { tries: 5, backoff: 500, idle: 30_000 };
/** Longest Retry-After of a server that is obeyed, in milliseconds. */
const MAX_WAIT = 60_000;
/** Milliseconds between two progress events. */
const PROGRESS_EVERY = 100;

/** What the server said about the file of which a part is there. */
const stateSchema = z.object({ validator: z.string().optional(), total: z.number().optional() });
type State = z.infer<typeof stateSchema>;

/** Downloads to `file`, resuming where an earlier call stopped (Range, If-Range), and returns the sha256 of the
 *  content. After a failure the part that came stays for the next call, unless its content is wrong. Only one caller at
 *  a time may use a file: see lock.ts. Throws E_WEIGHTS_{NETWORK,NOT_FOUND,FORBIDDEN,HTTP,REDIRECT,SIZE,SHA256}. */
export async function download(url: string, file: string, options: DownloadOptions = {}): Promise<string> {
  const { tries, backoff } = { ...PATIENCE, ...options.patience };
  const resumed = (await sizeOf(file)) > 0;
  let announced: { readonly sha256?: string; readonly bytes?: number } = {};
  let failures = 0;
  let most = await sizeOf(file);
  for (;;) {
    try {
      announced = await attempt(url, file, options);
      break;
    } catch (error) {
      if (!(error instanceof TransientError) || options.signal?.aborted) throw error;
      const now = await sizeOf(file);
      failures = now > most ? 1 : failures + 1;
      most = Math.max(most, now); // bytes that were discarded and came again are no progress
      if (failures >= tries) {
        const kept = now > 0 ? `; ${now} bytes are kept for the next try` : '';
        throw unreachable(url, `${error.message.replace(`${url}: `, '')} after ${tries} tries${kept}`, error);
      }
      const wait = Math.min(error.wait ?? backoff * 2 ** (failures - 1), MAX_WAIT);
      options.onProgress?.({ message: `${error.message}; trying again` });
      await sleep(wait, undefined, options.signal ? { signal: options.signal } : {});
    }
  }

  const bytes = await sizeOf(file);
  const sha256 = await hashFile(file, options.signal);
  const expected = options.sha256 ?? announced.sha256;
  const sizeFits = announced.bytes === undefined || announced.bytes === bytes;
  if (sizeFits && (expected === undefined || expected === sha256)) {
    await rm(stateFile(file), { force: true });
    return sha256;
  }
  await discard(file);
  if (resumed) return download(url, file, options); // the part from last time may have been the wrong one
  if (!sizeFits) {
    const message = `${url} has ${bytes} bytes, but the server announced ${announced.bytes}`;
    throw new FinetuneError({ code: 'E_WEIGHTS_SIZE', message });
  }
  const message = `${url} has sha256 ${sha256} instead of ${expected}`;
  const fix = 'the content has changed: update the hash in the URI if you trust it, or find the original';
  throw new FinetuneError({ code: 'E_WEIGHTS_SHA256', message, fix });
}

/** Makes one connection: for the rest of the file, or for all of it if the server cannot resume. */
async function attempt(url: string, file: string, options: DownloadOptions) {
  const { idle } = { ...PATIENCE, ...options.patience };
  const watchdog = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, watchdog.signal]) : watchdog.signal;
  let timer = setTimeout(() => watchdog.abort(), idle);
  try {
    const known = await readState(file);
    const wanted = known.validator || options.sha256 ? await sizeOf(file) : 0; // without either, two versions could be mixed
    const { response, first } = await get(
      url,
      {
        'accept-encoding': 'identity',
        ...(wanted > 0 && { range: `bytes=${wanted}-` }),
        ...(wanted > 0 && known.validator && { 'if-range': known.validator }),
      },
      signal,
    );
    const announced = options.announced?.(first) ?? {};
    if (response.status === 416) {
      await response.body?.cancel();
      if (known.total === wanted) return announced; // it was complete
      await discard(file);
      throw new TransientError(`${url}: the server has nothing after byte ${wanted}`);
    }
    const { start, total } = extent(response);
    if (start !== 0 && start !== wanted) {
      await response.body?.cancel();
      await discard(file);
      throw new TransientError(`${url}: the server resumed at byte ${start}, not at ${wanted}`);
    }
    const handle = await open(file, start === 0 ? 'w' : 'a');
    let done = start;
    let shown = 0;
    try {
      await writeState(file, { validator: validatorOf(response), total }); // once the old part is gone
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(() => watchdog.abort(), idle);
        await handle.writeFile(chunk);
        done += (chunk as Uint8Array).byteLength;
        if (Date.now() - shown < PROGRESS_EVERY && done !== total) continue;
        shown = Date.now();
        options.onProgress?.({ phase: 'weights', done, total: total ?? done, text: `bytes of ${fileName(url)}` });
      }
    } finally {
      await handle.close();
    }
    if (total !== undefined && done < total) throw new TransientError(`${url}: ${done} of ${total} bytes came`);
    if (total !== undefined && done > total) {
      await discard(file);
      throw new TransientError(`${url}: ${done} bytes came, but ${total} were announced`);
    }
    return announced;
  } catch (error) {
    if (options.signal?.aborted || error instanceof TransientError || error instanceof FinetuneError) throw error;
    if ('syscall' in (error as object) && !('cause' in (error as object))) throw error; // the disk, not the network
    if (watchdog.signal.aborted) throw new TransientError(`${url}: no byte came for ${idle / 1000} s`);
    throw networkError(url, error);
  } finally {
    clearTimeout(timer);
  }
}

/** Where the body of a response begins in the file, and how long the file is, if the server says it. */
function extent({ status, headers }: Response): { start: number; total: number | undefined } {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (status === 206) {
    return { start: Number(range?.[1] ?? Number.NaN), total: range?.[2] === '*' ? undefined : Number(range?.[2]) };
  }
  const length = headers.get('content-encoding') === null ? headers.get('content-length') : null;
  return { start: 0, total: length === null ? undefined : Number(length) };
}

/** Returns the ETag or the date of a response. A weak ETag does not promise the same bytes. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get('etag');
  return etag && !etag.startsWith('W/') ? etag : (headers.get('last-modified') ?? undefined);
}

export const fileName = (url: string): string => decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');

const stateFile = (file: string): string => `${file}.json`;
const writeState = (file: string, state: State): Promise<void> => writeFile(stateFile(file), JSON.stringify(state));

async function readState(file: string): Promise<State> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(stateFile(file), 'utf8')));
  } catch {
    return {};
  }
}

async function discard(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(stateFile(file), { force: true });
}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? 0;
