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
  /** What the content must be. */
  readonly sha256?: string | undefined;
  /** The content's hash and size out of the site's first answer, where it tells. */
  readonly announced?: (headers: Headers) => { readonly sha256?: string; readonly bytes?: number };
  readonly patience?: Partial<Patience>;
}

interface Patience {
  /** Tries in a row that bring no byte. */
  readonly tries: number;
  /** Milliseconds before the second try; doubled for each further one. */
  readonly backoff: number;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly idle: number;
}
const PATIENCE: Patience = { tries: 5, backoff: 500, idle: 30_000 };
/** The longest a server's Retry-After is obeyed, milliseconds. */
const MAX_WAIT = 60_000;
/** Milliseconds between two progress events. */
const PROGRESS_EVERY = 100;

/** What the server said about the part that is there. */
const stateSchema = z.object({ validator: z.string().optional(), total: z.number().optional() });
type State = z.infer<typeof stateSchema>;

/** Downloads to `file`, going on where an earlier call stopped (Range, If-Range), and returns the sha256 of the content.
 *  What is there after a failure stays for the next call, unless its content is wrong. One caller at a time: see lock.ts.
 *  Throws E_WEIGHTS_{NETWORK,NOT_FOUND,FORBIDDEN,HTTP,REDIRECT,SIZE,SHA256}. */
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
      most = Math.max(most, now); // what was thrown away and came again is no progress
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
    const message = `${url} has ${bytes} bytes, ${announced.bytes} were announced`;
    throw new FinetuneError({ code: 'E_WEIGHTS_SIZE', message });
  }
  const message = `${url} has sha256 ${sha256}, ${expected} was asked for`;
  const fix = 'the content changed: trust it and update the URI, or find the original';
  throw new FinetuneError({ code: 'E_WEIGHTS_SHA256', message, fix });
}

/** One connection: the rest of the file, or all of it if the server cannot go on. */
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
      throw new TransientError(`${url}: the server has no rest to ${wanted} bytes`);
    }
    const { start, total } = extent(response);
    if (start !== 0 && start !== wanted) {
      await response.body?.cancel();
      await discard(file);
      throw new TransientError(`${url}: the server went on at byte ${start}, not at ${wanted}`);
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
      throw new TransientError(`${url}: ${done} bytes came, ${total} were announced`);
    }
    return announced;
  } catch (error) {
    if (options.signal?.aborted || error instanceof TransientError || error instanceof FinetuneError) throw error;
    if ('syscall' in (error as object) && !('cause' in (error as object))) throw error; // the disk, not the network
    if (watchdog.signal.aborted) throw new TransientError(`${url}: silent for ${idle / 1000} s`);
    throw networkError(url, error);
  } finally {
    clearTimeout(timer);
  }
}

/** Where the body of an answer begins and how long the whole is, if the server says. */
function extent({ status, headers }: Response): { start: number; total: number | undefined } {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (status === 206) {
    return { start: Number(range?.[1] ?? Number.NaN), total: range?.[2] === '*' ? undefined : Number(range?.[2]) };
  }
  const length = headers.get('content-encoding') === null ? headers.get('content-length') : null;
  return { start: 0, total: length === null ? undefined : Number(length) };
}

/** A weak ETag does not promise the same bytes. */
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
