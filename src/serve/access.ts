import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { refusal } from './httpErrors.js';
import { isLoopback, type Limits } from './options.js';

/** Throws E_SERVE_TOKEN unless one of these is the token. The time that it takes tells nothing about the token. */
export function checkToken(token: string | undefined, given: readonly (string | undefined)[]): void {
  if (token === undefined) return;
  const right = digest(token);
  const matches = given.map((one) => timingSafeEqual(digest(one ?? ''), right) && one !== undefined);
  if (matches.includes(true)) return;
  throw refusal('E_SERVE_TOKEN', 'the token is missing or wrong', 'send it as the header Authorization: Bearer …');
}

/** Hashes are of one length, whatever was given. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export function bearerOf({ headers: { authorization } }: FastifyRequest): string | undefined {
  return /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
}

/** Keeps web pages out. Any page can make a browser send requests to an address of this machine, and a page whose name was
 *  made to lead to 127.0.0.1 could read the answers: a server on loopback without a token therefore answers to the names
 *  of this machine alone, and no server answers a page of another origin, except those that it was
 *  told to. Throws E_SERVE_HOST. */
export function checkHost({ headers }: FastifyRequest, { isLoopback: here, token, cors }: Limits): void {
  const { host = '', origin } = headers;
  if (here && token === undefined && host !== '' && !isLoopback(hostname(host)))
    throw refusal('E_SERVE_HOST', 'the request names another host', 'use http://127.0.0.1 or http://localhost');
  const isOwn = origin === undefined || origin.replace(/^https?:\/\//, '') === host;
  if (!isOwn && !cors.includes('*') && !cors.includes(origin))
    throw refusal(
      'E_SERVE_HOST',
      'the request comes from a page of another server',
      'start the server with --cors and the origin of the page',
    );
}

const hostname = (host: string): string => host.replace(/:\d+$/, '');
