import { FinetuneError, type Problem } from '../errors.js';
import { fetchVia, routeOf, type Fetch } from './proxy.js';
import { isPrivate, parseUrl } from './url.js';

/** A failure that may pass: the connection broke, or the server is busy. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** Milliseconds that the server asks to wait before the next try. */
  readonly wait: number | undefined;
  constructor(message: string, wait?: number, options?: ErrorOptions) {
    super(message, options);
    this.wait = wait;
  }
}

export interface HttpResponse {
  readonly response: Response;
  /** Headers of the first response, which in a redirect are those of the site itself. */
  readonly first: Headers;
}

const MAX_REDIRECTS = 10;

export interface Access {
  /** Whether a hash pins the content. */
  readonly isPinned?: boolean;
  /** Sends each request. Default: as the environment says (routeOf). */
  readonly fetch?: Fetch | undefined;
  /** Further headers, by the server that they are for. */
  readonly headersFor?: ((url: URL) => Record<string, string>) | undefined;
}

/** Sends a GET request and follows redirects. Nothing but `headers` is sent, to the first server and to those that it
 *  redirects to, and what `headersFor` has for each. A redirect must not lead to a place where the content could be changed on its way, unless the content
 *  `isPinned` by a hash; never from https to http. Returns successful responses and 416. Throws TransientError,
 *  E_WEIGHTS_{NETWORK,NOT_FOUND,FORBIDDEN,HTTP,REDIRECT}. */
export async function get(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
  { isPinned = false, fetch = fetchVia(routeOf(process.env)), headersFor = () => ({}) }: Access = {},
): Promise<HttpResponse> {
  let at = url;
  let first: Headers | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await ask(at, () => fetch(at, { headers: { ...headers, ...headersFor(at) }, signal }), signal);
    first ??= response.headers;
    if ((response.status >= 200 && response.status < 300) || response.status === 416) return { response, first };
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (response.status >= 400 || location === null) throw refusal(url, response);
    const next = parseUrl(URL.canParse(location, at.href) ? new URL(location, at).href : location, url);
    if (!isPrivate(next) && (at.protocol === 'https:' || !isPinned))
      throw problem(
        'E_WEIGHTS_REDIRECT',
        `${url.href} redirects to ${next.href}, where it could be changed on its way`,
      );
    at = next;
  }
  throw problem('E_WEIGHTS_REDIRECT', `${url.href} redirects more than ${MAX_REDIRECTS} times`);
}

const problem = (code: Problem['code'], message: string, fix?: string, cause?: unknown): FinetuneError =>
  new FinetuneError({ code, message, ...(fix && { fix }) }, { cause });

async function ask(url: URL, send: () => Promise<Response>, signal: AbortSignal): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    if (signal.aborted) throw error;
    throw networkError(url, error);
  }
}

/** Errors that another try within seconds does not fix: of the network, of certificates, and of a server that does not
 *  speak HTTP (HPE). */
const LASTING =
  /^(ENOTFOUND|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ERR_TLS.*|CERT_.*|.*SELF_SIGNED.*|UNABLE_TO.*|HPE_.*|UND_ERR_HEADERS_OVERFLOW|bad port)$/;

/** Translates an error of fetch, which says only "fetch failed"; its cause says why. */
export function networkError(url: URL, error: unknown): TransientError | FinetuneError {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  const why = cause?.code ?? cause?.message ?? (error as Error).message;
  if (!LASTING.test(why)) return new TransientError(why, undefined, { cause: error });
  return unreachable(url, why, error);
}

export const unreachable = (url: URL, why: string, cause?: unknown): FinetuneError =>
  problem(
    'E_WEIGHTS_NETWORK',
    `${url.host} cannot be reached: ${why} (${url.href})`,
    'check the network, or download the file elsewhere and use file:. Weights are downloaded only once and then cached',
    cause,
  );

/** Longest Retry-After of a server that is obeyed, in milliseconds. */
const MAX_WAIT = 60_000;

function refusal({ href }: URL, { status, statusText, headers }: Response): TransientError | FinetuneError {
  const said = `${status}${statusText ? ` ${statusText}` : ''}`;
  if (status === 408 || status === 429 || status >= 500) {
    const after = 1000 * Number(headers.get('retry-after') ?? Number.NaN);
    if (after > MAX_WAIT) {
      const fix = 'try again after that time, or download the file elsewhere and use file:';
      return problem('E_WEIGHTS_HTTP', `${href} answered ${said}, and asks to wait for ${after / 1000} s`, fix);
    }
    return new TransientError(said, Number.isFinite(after) ? after : undefined);
  }
  if (status === 404 || status === 410) return problem('E_WEIGHTS_NOT_FOUND', `${href} does not exist (${said})`);
  if (status === 401 || status === 403) {
    const fix =
      'it is private, its licence must be accepted first, or it does not exist: download it yourself and use file:';
    return problem('E_WEIGHTS_FORBIDDEN', `access to ${href} is denied (${said})`, fix);
  }
  return problem('E_WEIGHTS_HTTP', `${href} answered ${said}`);
}
