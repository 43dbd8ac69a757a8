import { FinetuneError, type Problem } from '../errors.js';

/** The body of every answer that is an error, except for those in DeepStack's form. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly fix?: string };
}

type Code = Problem['code'];

/** HTTP statuses by the codes of errors; others are 500. */
const STATUSES: Readonly<Record<string, number>> = {
  E_FEED: 400,
  E_USAGE: 400,
  E_SERVE_REQUEST: 400,
  E_SERVE_TOKEN: 401,
  E_SERVE_HOST: 403,
  E_SERVE_ROUTE: 404,
  E_IMAGE_MISSING: 404,
  E_SERVE_LATE: 408,
  E_SERVE_BYTES: 413,
  E_SERVE_PIXELS: 413,
  E_SERVE_TYPE: 415,
  E_IMAGE_DECODE: 422,
  E_SERVE_RATE: 429,
  E_SERVE_HEADERS: 431,
  E_SERVE_BUSY: 503,
  E_SERVE_TIME: 503,
  E_SERVE_STOPPING: 503,
};

/** The codes of what Node and the framework refuse by themselves. */
const BY_STATUS: Readonly<Record<number, Code>> = {
  400: 'E_SERVE_REQUEST',
  404: 'E_SERVE_ROUTE',
  408: 'E_SERVE_LATE',
  413: 'E_SERVE_BYTES',
  415: 'E_SERVE_TYPE',
  429: 'E_SERVE_RATE',
  431: 'E_SERVE_HEADERS',
  503: 'E_SERVE_STOPPING',
};

const FIXES: Readonly<Partial<Record<Code, string>>> = {
  E_SERVE_TYPE:
    'send the bytes of an image with the header Content-Type: image/jpeg or application/octet-stream, a form (multipart/form-data), or JSON (application/json)',
};

export interface HttpError {
  readonly status: number;
  readonly body: ErrorBody;
  /** Whether it is our mistake, which is logged, and whose details are not for strangers. */
  readonly isInternal: boolean;
}

/** An error as it is answered. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof FinetuneError && error.code !== 'E_INTERNAL') {
    const { message, fix } = error.problems[0]!;
    return answer(STATUSES[error.code] ?? 500, error.code, message, fix);
  }
  const status = statusOf(error);
  const code = BY_STATUS[status] ?? (status < 500 ? 'E_SERVE_REQUEST' : undefined);
  if (code) return answer(status, code, error instanceof Error ? error.message : 'the request is wrong', FIXES[code]);
  return {
    ...answer(500, 'E_INTERNAL', 'internal: the server made a mistake; its log has the details'),
    isInternal: true,
  };
}

function answer(status: number, code: string, message: string, fix?: string): HttpError {
  return { status, body: { error: { code, message, ...(fix !== undefined && { fix }) } }, isInternal: false };
}

function statusOf(error: unknown): number {
  const { statusCode } = (error ?? {}) as { readonly statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 ? statusCode : 500;
}

export const refusal = (code: Code, message: string, fix?: string): FinetuneError =>
  new FinetuneError({ code, message, ...(fix !== undefined && { fix }) });

type Raw = readonly [status: number, title: string, code: Code, message: string];
const NO_HTTP: Raw = [400, 'Bad Request', 'E_SERVE_REQUEST', 'this is no HTTP request'];
const RAW: Readonly<Record<string, Raw>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'E_SERVE_LATE', 'the request did not come in time'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'E_SERVE_HEADERS', 'its headers are too large'],
  BUSY: [503, 'Service Unavailable', 'E_SERVE_BUSY', 'the server receives as many bytes as it can take'],
};

/** The answer on a connection whose request is not read to its end, for the reason that Node gives, or BUSY: what is no
 *  HTTP, comes too slowly, has too many headers, or is too much. */
export function rawAnswer(reason: string | undefined): string {
  const [status, title, code, message] = RAW[reason ?? ''] ?? NO_HTTP;
  const body = JSON.stringify({ error: { code, message } } satisfies ErrorBody);
  const head = [`HTTP/1.1 ${status} ${title}`, 'Content-Type: application/json', `Content-Length: ${body.length}`];
  return [...head, 'Connection: close', '', body].join('\r\n');
}

/** An error as it is answered; a mistake of ours is logged. */
export function explain(error: unknown, log: (message: string) => void): HttpError {
  const answer = toHttpError(error);
  if (answer.isInternal) log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return answer;
}
