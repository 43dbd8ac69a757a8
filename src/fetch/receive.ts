import { open } from 'node:fs/promises';
import { FinetuneError } from '../errors.js';
import type { ProgressEvent, ProgressStep } from '../progress.js';
import { get, networkError, TransientError, type Access } from './http.js';
import { watch, type Limits, type Watch } from './limits.js';
import { discardPart, readPartState, sizeOf, writePartState } from './part.js';
import { fileName } from './url.js';

/** What the first server says about the content. */
export interface Announced {
  readonly sha256?: string;
  readonly bytes?: number;
}

export interface ReceiveOptions {
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Expected sha256 of the content. */
  readonly sha256?: string | undefined;
  readonly announced?: ((headers: Headers) => Announced) | undefined;
  /** Judges the content by its first bytes, so that what is refused is not read to its end. */
  readonly accepts?: ((head: Uint8Array) => boolean) | undefined;
  /** How the server is reached. */
  readonly access?: Omit<Access, 'isPinned'> | undefined;
  /** The phase of the progress events. Default: weights. */
  readonly phase?: ProgressStep['phase'] | undefined;
}

/** A body that ended before its announced end. A server that stops twice at the same byte announces a wrong length. */
export class ShortBody extends TransientError {
  constructor(
    message: string,
    readonly end: number,
    readonly total: number,
    options?: ErrorOptions,
  ) {
    super(message, undefined, options);
  }
}

/** Bytes by which content is judged. */
const HEAD = 64;
/** Milliseconds between two progress events. */
const PROGRESS_EVERY = 100;

/** Makes one connection: for the rest of the file, or for all of it if the server cannot resume. Throws TransientError
 *  if another try may help, E_WEIGHTS_{SIZE,HTTP,FORMAT,NETWORK} and what `get` throws. */
export async function receive(url: URL, file: string, options: ReceiveOptions): Promise<Announced> {
  const guard = watch(url.href, options.limits);
  const signal = options.signal ? AbortSignal.any([options.signal, guard.signal]) : guard.signal;
  try {
    const known = await readPartState(file);
    const wanted = known.validator || options.sha256 ? await sizeOf(file) : 0; // without either, two versions could be mixed
    const headers = {
      'accept-encoding': 'identity',
      ...(wanted > 0 && { range: `bytes=${wanted}-` }),
      ...(wanted > 0 && known.validator && { 'if-range': known.validator }),
    };
    const { response, first } = await get(url, headers, signal, {
      ...options.access,
      isPinned: options.sha256 !== undefined,
    });
    const announced = options.announced?.(first) ?? {};
    if (response.status === 416) {
      await response.body?.cancel();
      if (known.total === wanted) return announced; // it was complete
      await discardPart(file);
      throw new TransientError(`the server has nothing after byte ${wanted}`);
    }
    const start = await checkHead(url, file, response, wanted, options.limits);
    await receiveBody(url, file, response, start, guard, options);
    return announced;
  } catch (error) {
    if (options.signal?.aborted || error instanceof TransientError || error instanceof FinetuneError) throw error;
    if (guard.signal.aborted) throw guard.signal.reason as Error;
    if (isOfDisk(error)) throw error;
    throw networkError(url, error);
  } finally {
    guard.stop();
  }
}

/** Returns the byte of the file at which the body begins. Throws for a body that must not be read. */
async function checkHead(url: URL, file: string, response: Response, wanted: number, limits: Limits): Promise<number> {
  const { start, total } = extent(response);
  const encoding = response.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    await response.body?.cancel();
    throw new FinetuneError({
      code: 'E_WEIGHTS_HTTP',
      message: `${url.href} answered with a compressed body (${encoding}), which was not asked for`,
      fix: 'download the file elsewhere and use file:',
    });
  }
  if (total !== undefined && !(total <= limits.bytes)) {
    await response.body?.cancel();
    throw tooLarge(url, `announces ${total} bytes`, limits);
  }
  if (start === 0 || start === wanted) return start;
  await response.body?.cancel();
  await discardPart(file);
  if (wanted === 0) {
    const message = `${url.href} answered with a part of the file, which was not asked for`;
    throw new FinetuneError({ code: 'E_WEIGHTS_HTTP', message });
  }
  throw new TransientError(`the server resumed at byte ${start}, not at ${wanted}`);
}

async function receiveBody(
  url: URL,
  file: string,
  response: Response,
  start: number,
  guard: Watch,
  { limits, signal, onProgress, accepts, phase = 'weights' }: ReceiveOptions,
): Promise<void> {
  const { total } = extent(response);
  const handle = await open(file, start === 0 ? 'w' : 'a');
  let done = start;
  let shown = 0;
  const judge = accepts && start === 0 ? judgeHead(url, accepts) : undefined;
  guard.begin();
  try {
    await writePartState(file, { validator: validatorOf(response), total }); // once the old part is gone
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      guard.came(chunk.byteLength);
      if (done + chunk.byteLength > limits.bytes) throw tooLarge(url, 'sends a body without end', limits);
      judge?.(chunk);
      await handle.writeFile(chunk);
      done += chunk.byteLength;
      if (Date.now() - shown < PROGRESS_EVERY && done !== total) continue;
      shown = Date.now();
      onProgress?.({ phase, done, total: total ?? done, text: `bytes of ${fileName(url)}` });
    }
  } catch (error) {
    if (total === undefined || done === start) throw error;
    if (error instanceof FinetuneError || isOfDisk(error) || signal?.aborted) throw error;
    throw new ShortBody(`${done} of ${total} bytes came`, done, total, { cause: error });
  } finally {
    await handle.close();
  }
  judge?.();
  if (total === undefined || done === total) return;
  if (done < total) throw new ShortBody(`${done} of ${total} bytes came`, done, total);
  await discardPart(file);
  throw new TransientError(`${done} bytes came, but ${total} were announced`);
}

/** Whether an error is one of the disk. Those of the network are the cause of an error of fetch. */
const isOfDisk = (error: unknown): boolean => 'syscall' in (error as object) && !('cause' in (error as object));

/** Returns a function that must get each piece of a body, and nothing at its end. It throws as soon as `accepts` refuses
 *  the first bytes. */
function judgeHead(url: URL, accepts: (head: Uint8Array) => boolean): (piece?: Uint8Array) => void {
  let head = new Uint8Array();
  let isJudged = false;
  return (piece) => {
    if (isJudged) return;
    if (piece) head = Uint8Array.from([...head, ...piece.subarray(0, HEAD)]);
    if (head.byteLength === 0 || (piece && head.byteLength < HEAD)) return;
    if (!accepts(head)) throw notWeights(url, head);
    isJudged = true;
  };
}

function notWeights({ href }: URL, head: Uint8Array): FinetuneError {
  const isPage = /^\s*<(!doctype\s+html|html)\b/i.test(Buffer.from(head).toString('latin1'));
  const what = isPage ? 'is a web page' : 'does not begin like a file of weights in any format that is known here';
  const fix = isPage
    ? 'the address may want a login: download the file yourself and use file:'
    : 'check the address: weights are read from safetensors, PyTorch, Keras HDF5 and TensorFlow.js files';
  return new FinetuneError({ code: 'E_WEIGHTS_FORMAT', message: `${href} ${what}`, fix });
}

const tooLarge = ({ href }: URL, what: string, { bytes }: Limits): FinetuneError =>
  new FinetuneError({
    code: 'E_WEIGHTS_SIZE',
    message: `${href} ${what}; a file may have at most ${bytes} bytes`,
    fix: 'check the address; a larger file can be downloaded elsewhere and used with file:',
  });

/** Where the body of a response begins in the file, and how long the file is, if the server says it. */
function extent({ status, headers }: Response): { start: number; total: number | undefined } {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (status === 206) {
    return { start: Number(range?.[1] ?? Number.NaN), total: range?.[2] === '*' ? undefined : Number(range?.[2]) };
  }
  const length = headers.get('content-length');
  return { start: 0, total: length === null ? undefined : Number(length) };
}

/** Returns the ETag or the date of a response. A weak ETag does not promise the same bytes. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get('etag');
  return etag && !etag.startsWith('W/') ? etag : (headers.get('last-modified') ?? undefined);
}
