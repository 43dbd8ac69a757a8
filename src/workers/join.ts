import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { FinetuneError } from '../errors.js';
import type { ProgressEvent } from '../progress.js';
import { formatAddress, isLoopback, type Places } from './addresses.js';
import { answer, call, type Identity } from './handshake.js';
import { Link, type End } from './link.js';
import { Team } from './team.js';
import type { Workers } from './workers.js';

export interface JoinOptions extends Places {
  /** What all workers know and nobody else. Default: nothing, so that anybody who reaches a worker's port can take part. */
  readonly secret?: string | undefined;
  /** Allow addresses that other machines reach. */
  readonly trustNetwork?: boolean | undefined;
  /** Seconds to wait for all workers; default: 300. */
  readonly patience?: number | undefined;
  /** Seconds without a sign of life after which a worker counts as lost; default: 60. A worker gives none while it computes
   *  on its main thread, as when it scores many images. */
  readonly silence?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** Connects this worker with all others. Throws E_WORKERS_TRUST, E_WORKERS_ADDRESS where this worker cannot listen at its
 *  address, E_WORKERS_MISSING with those that did not come in time, and the signal's reason. */
export async function joinWorkers(options: JoinOptions): Promise<Workers> {
  const { addresses, rank, secret = '', patience = 300, signal, onProgress } = options;
  checkTrust(options);
  const self: Identity = { rank, team: addresses.map(formatAddress).join(), secret };
  const links = new Map<number, Link>();
  const problems = new Map<number, string>();
  // A worker that goes away before all have come makes room for one that is started in its place.
  let ended = (other: number, end: End): void => {
    links.delete(other);
    problems.set(other, 'broken' in end ? 'it came, and its connection was closed' : `it has ended: ${end.goodbye ?? 'it is done'}`); // prettier-ignore
  };
  const add = (other: number, socket: Socket): void => {
    links.set(other, new Link(socket, other, (end) => { ended(other, end); })); // prettier-ignore
  };
  const refuse = (caller: number): string | undefined => {
    if (caller <= rank || caller >= addresses.length) return 'it expects no call of this worker';
    return links.has(caller) ? `another process is connected with it as worker ${caller}` : undefined;
  };
  const server = await listen(options, async (socket) => { add(await answer(socket, self, refuse), socket); }); // prettier-ignore
  onProgress?.({
    message: `worker ${rank} of ${addresses.length}, at ${formatAddress(addresses[rank]!)}: waiting for the others`,
  });
  const end = performance.now() + 1000 * patience;
  try {
    while (links.size < addresses.length - 1) {
      for (let other = 0; other < rank; other++) {
        if (links.has(other)) continue;
        const found = await reach(addresses[other]!, self, other);
        if (found instanceof Error) problems.set(other, found.message);
        else add(other, found);
      }
      if (links.size === addresses.length - 1) break;
      if (performance.now() > end) throw missing(options, links, problems);
      await setTimeout(RETRY, undefined, { signal });
    }
    return new Team(options, options.silence ?? 60, (lost) => {
      ended = lost;
      return [...links.values()].sort((one, other) => one.rank - other.rank);
    });
  } catch (error) {
    for (const link of links.values()) link.destroy();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    server.close();
  }
}

/** Milliseconds between two calls of a worker that does not answer yet. */
const RETRY = 100;

function checkTrust({ addresses, trustNetwork = false }: JoinOptions): void {
  const open = addresses.find(({ host }) => !isLoopback(host));
  if (open === undefined || trustNetwork) return;
  throw new FinetuneError({
    code: 'E_WORKERS_TRUST',
    message: `other machines reach ${formatAddress(open)}, and what workers send each other is not encrypted`,
    fix: 'add --trust-network if everybody on this network may read it; else use a tunnel (docs/scaling.md)',
  });
}

/** Listens at this worker's address. Whoever calls and is no worker is sent away. */
async function listen({ addresses, rank }: Places, welcome: (socket: Socket) => Promise<void>): Promise<Server> {
  const { host, port } = addresses[rank]!;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    welcome(socket).catch(() => { socket.destroySoon(); }); // prettier-ignore
  });
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new FinetuneError({
      code: 'E_WORKERS_ADDRESS',
      message: `worker ${rank} cannot listen at ${formatAddress({ host, port })}: ${code === 'EADDRINUSE' ? 'another process uses the address' : message}`,
      fix:
        code === 'EADDRINUSE' ? 'choose another port, in the list of every worker' : 'name an address of this machine',
    });
  }
}

/** A connection with the worker at an address, or why there is none. */
async function reach(
  { host, port }: Places['addresses'][number],
  self: Identity,
  rank: number,
): Promise<Socket | Error> {
  const socket = connect({ host, port });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(5000) });
    await call(socket, self, rank);
    return socket;
  } catch (error) {
    socket.destroy();
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
      ? new Error('nobody listens there')
      : (error as Error);
  }
}

function missing(
  { addresses, rank, patience = 300 }: JoinOptions,
  here: ReadonlyMap<number, Link>,
  problems: ReadonlyMap<number, string>,
) {
  const absent = addresses.flatMap((address, other) =>
    other === rank || here.has(other)
      ? []
      : [`worker ${other} (${formatAddress(address)}: ${problems.get(other) ?? 'it has not called'})`],
  );
  return new FinetuneError({
    code: 'E_WORKERS_MISSING',
    message: `after ${patience} s these workers have not come: ${absent.join(', ')}`,
    fix: 'start one process for each rank with the same list, and look at what those have printed',
  });
}
