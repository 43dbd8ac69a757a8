import { setTimeout as sleep } from 'node:timers/promises';
import { FinetuneError } from '../errors.js';
import { hashFile } from '../files/hashFile.js';
import { TransientError, unreachable } from './http.js';
import { LIMITS, type Limits } from './limits.js';
import { discardPart, readPartState, removePartState, sizeOf } from './part.js';
import { receive, ShortBody, type Announced, type ReceiveOptions } from './receive.js';

export interface DownloadOptions extends Omit<ReceiveOptions, 'limits'> {
  /** Default: LIMITS. */
  readonly limits?: Partial<Limits> | undefined;
}

/** Downloads to `file`, resuming where an earlier call stopped (Range, If-Range), and returns the sha256 of the
 *  content. After a failure the part that came stays for the next call if that can resume, unless the content is
 *  wrong. Only one caller at a time may use a file: see lock.ts.
 *  Throws E_WEIGHTS_{NETWORK,NOT_FOUND,FORBIDDEN,HTTP,REDIRECT,FORMAT,SIZE,SHA256}. */
export async function download(url: URL, file: string, options: DownloadOptions = {}): Promise<string> {
  const limits = { ...LIMITS, ...options.limits };
  const resumed = (await sizeOf(file)) > 0;
  const announced = await receiveWhole(url, file, { ...options, limits }).catch(async (error: unknown) => {
    const canResume = (await readPartState(file)).validator ?? options.sha256;
    const isWrong = error instanceof FinetuneError && error.code !== 'E_WEIGHTS_NETWORK';
    if (canResume === undefined || isWrong) await discardPart(file);
    throw error;
  });

  const sha256 = await hashFile(file, options.signal);
  const fault = await findFault(url, file, sha256, { ...announced, ...(options.sha256 && { sha256: options.sha256 }) });
  if (!fault) {
    await removePartState(file);
    return sha256;
  }
  await discardPart(file);
  if (resumed) return download(url, file, options); // the part from last time may have been the wrong one
  throw fault;
}

/** Tries until the whole body has come. */
async function receiveWhole(url: URL, file: string, options: ReceiveOptions): Promise<Announced> {
  const { limits } = options;
  const deadline = AbortSignal.timeout(limits.total);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  let failures = 0;
  let most = await sizeOf(file);
  let began = performance.now();
  let short: ShortBody | undefined;
  for (;;) {
    try {
      return await receive(url, file, { ...options, signal });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if (deadline.aborted) throw unreachable(url, `it was not complete after ${limits.total / 1000} s`, error);
      if (!(error instanceof TransientError)) throw error;
      if (error instanceof ShortBody) {
        if (error.end === short?.end && error.total === short.total) throw wrongLength(url, error);
        short = error;
      }
      const now = await sizeOf(file);
      const least = (limits.rate * (performance.now() - began)) / 1000;
      failures = now > most && now - most >= least ? 1 : failures + 1;
      most = Math.max(most, now); // bytes that were discarded and came again are no progress
      began = performance.now();
      if (failures >= limits.tries) throw givenUp(url, error, failures, now);
      options.onProgress?.({ message: `${url.href}: ${error.message}; trying again` });
      const wait = error.wait ?? limits.backoff * 2 ** (failures - 1);
      await sleep(wait, undefined, { signal }).catch(() => undefined); // the next try finds it aborted
    }
  }
}

const givenUp = (url: URL, error: TransientError, tries: number, bytes: number): FinetuneError => {
  const kept = bytes > 0 ? `; ${bytes} bytes are kept for the next try` : '';
  return unreachable(url, `${error.message} after ${tries} tries${kept}`, error);
};

const wrongLength = ({ href }: URL, { end, total }: ShortBody): FinetuneError =>
  new FinetuneError({
    code: 'E_WEIGHTS_SIZE',
    message: `${href} announces ${total} bytes, and ended twice after ${end}`,
    fix: 'the file on the server is cut short, or the server is wrong about its length: find another copy',
  });

/** The error if the content is not what was asked for. */
async function findFault(
  { href }: URL,
  file: string,
  sha256: string,
  expected: Announced,
): Promise<FinetuneError | undefined> {
  const bytes = await sizeOf(file);
  if (expected.bytes !== undefined && expected.bytes !== bytes) {
    const message = `${href} has ${bytes} bytes, but the server announced ${expected.bytes}`;
    return new FinetuneError({ code: 'E_WEIGHTS_SIZE', message });
  }
  if (expected.sha256 !== undefined && expected.sha256 !== sha256) {
    const message = `${href} has sha256 ${sha256} instead of ${expected.sha256}`;
    const fix = 'the content has changed: update the hash in the URI if you trust it, or find the original';
    return new FinetuneError({ code: 'E_WEIGHTS_SHA256', message, fix });
  }
  if (bytes === 0) return new FinetuneError({ code: 'E_WEIGHTS_SIZE', message: `${href} has no bytes` });
  return undefined;
}
