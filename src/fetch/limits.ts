import { FinetuneError } from '../errors.js';
import { TransientError } from './http.js';

/** What a server may ask of us, so that no server can fill the disk or keep a command waiting for ever. */
export interface Limits {
  /** Number of tries in a row without progress after which a download fails. */
  readonly tries: number;
  /** Milliseconds before the second try; doubled for each further one. */
  readonly backoff: number;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly idle: number;
  /** Least number of bytes in a second, averaged over `window`. */
  readonly rate: number;
  /** Milliseconds over which the rate is measured. */
  readonly window: number;
  /** Milliseconds that a whole download may take. */
  readonly total: number;
  /** Most bytes of a file, announced or not. */
  readonly bytes: number;
}

export const LIMITS: Limits = {
  tries: 3,
  backoff: 1000,
  idle: 12_000,
  rate: 1000,
  window: 20_000,
  total: 6 * 3600_000,
  bytes: 8 * 2 ** 30,
};

export interface Watch {
  /** Aborts, with the error as its reason, when the connection is given up. */
  readonly signal: AbortSignal;
  /** Starts to measure the rate: the body begins. */
  readonly begin: () => void;
  /** Must be called for each piece that comes. */
  readonly came: (bytes: number) => void;
  readonly stop: () => void;
}

/** Watches one connection to `href`. A connection without a byte is given up and may be tried again; a slow one is
 *  not, because the next one is as slow. */
export function watch(href: string, { idle, rate, window }: Limits): Watch {
  const controller = new AbortController();
  const silence = setTimeout(() => {
    controller.abort(new TransientError(`no byte came for ${idle / 1000} s`));
  }, idle);
  let measure: NodeJS.Timeout | undefined;
  let bytes = 0;
  return {
    signal: controller.signal,
    begin: () => {
      measure = setInterval(() => {
        if (bytes < (rate * window) / 1000) controller.abort(tooSlow(href, bytes, window, rate));
        bytes = 0;
      }, window);
    },
    came: (more) => {
      silence.refresh();
      bytes += more;
    },
    stop: () => {
      clearTimeout(silence);
      clearInterval(measure);
    },
  };
}

const tooSlow = (href: string, bytes: number, window: number, rate: number): FinetuneError =>
  new FinetuneError({
    code: 'E_WEIGHTS_NETWORK',
    message: `${href} is too slow: ${bytes} bytes came in ${window / 1000} s, and ${rate} bytes a second are the least`,
    fix: 'try again later, or download the file elsewhere and use file:',
  });
