import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refusal } from './httpErrors.js';
import type { Limits } from './options.js';
import { tooLarge } from './readRequest.js';

/** Decides which requests are received, and which of them get one of the server's places. A place belongs to a request
 *  whose body is there: a client that sends slowly holds none. */
export interface Admission {
  /** Lets the body of a request come. Throws E_SERVE_BUSY if every place is taken, and E_SERVE_BYTES. */
  receive(request: FastifyRequest): void;
  /** Gives a place to a request that was received, until it is answered. Throws E_SERVE_BUSY. */
  takePlace(reply: FastifyReply): void;
  inHand(): number;
  receiving(): number;
}

/** A body that is on its way. */
interface Sender {
  readonly socket: Pick<Socket, 'bytesRead'>;
  readonly since: number;
  /** Bytes that its connection had brought before. */
  readonly before: number;
}

/** Milliseconds that a body may take in any case, and bytes for each of which it may take a millisecond more: one with
 *  less than 1000 bytes in a second is given up. The same rule as MinRate of Apache's mod_reqtimeout. */
const [FREE, BYTES_PER_MS] = [5000, 1];
/** Milliseconds between two looks at the bodies. */
const EVERY = 1000;

/** The bodies that are given up: those that come too slowly; and those that began last, where all of them together have
 *  more bytes than may be held. */
export function lateSenders<S extends Sender>(
  senders: Iterable<S>,
  now: number,
  mostBytes: number,
): { readonly slow: readonly S[]; readonly beyond: readonly S[] } {
  const [slow, beyond]: [S[], S[]] = [[], []];
  let held = 0;
  for (const sender of senders) {
    const bytes = sender.socket.bytesRead - sender.before;
    if (now - sender.since > FREE + bytes / BYTES_PER_MS) slow.push(sender);
    else if (held + bytes > mostBytes) beyond.push(sender);
    else held += bytes;
  }
  return { slow, beyond };
}

/** Part of the places that bodies on the way may fill, if each were as large as may be. */
const SHARE = 1 / 4;

/** `end` answers a connection with this code of Node's, and closes it. */
export function createAdmission(
  { mostRequests, mostBytes }: Limits,
  end: (socket: Socket, why: 'ERR_HTTP_REQUEST_TIMEOUT' | 'BUSY') => void,
): Admission & { dispose(): void } {
  let taken = 0;
  const senders = new Map<unknown, Sender & { readonly socket: Socket }>();
  const mostHeld = Math.ceil(mostRequests * SHARE) * mostBytes;
  const look = (): void => {
    const { slow, beyond } = lateSenders(senders.values(), performance.now(), mostHeld);
    for (const { socket } of slow) end(socket, 'ERR_HTTP_REQUEST_TIMEOUT');
    for (const { socket } of beyond) end(socket, 'BUSY');
  };
  const timer = setInterval(look, EVERY).unref();
  const checkPlaces = (): void => {
    if (taken >= mostRequests)
      throw refusal('E_SERVE_BUSY', 'the server has as many requests as it can take', 'try again in a moment');
  };
  return {
    receive({ raw, headers }) {
      checkPlaces();
      if (Number(headers['content-length'] ?? 0) > mostBytes) throw tooLarge(mostBytes);
      const { socket } = raw;
      senders.set(raw, { socket, since: performance.now(), before: socket.bytesRead });
      raw.once('end', () => senders.delete(raw));
      raw.once('close', () => senders.delete(raw));
    },
    takePlace({ raw }) {
      checkPlaces();
      if (raw.closed) return; // the client went away
      taken++;
      raw.once('close', () => taken--);
    },
    inHand: () => taken,
    receiving: () => senders.size,
    dispose: () => clearInterval(timer),
  };
}
