import type { Socket } from 'node:net';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** How a server ends. */
export interface Closing {
  /** Whether it has begun to end: then each answer is the last one of its connection. */
  readonly isStopping: () => boolean;
  /** Answers what clients sent before, takes no more connections, and ends. */
  close(): Promise<void>;
}

/** Milliseconds for requests to arrive that were sent before the server was told to stop, and for the first byte of a
 *  connection that has brought none: browsers keep such ones. */
const [ARRIVAL, FIRST_BYTE] = [100, 1000];

/** Watches the connections of a server from its start. Connections that take longer than so many milliseconds to end are
 *  cut. */
export function createClosing(app: FastifyInstance, most: number): Closing {
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  let isStopping = false;
  const closeSilent = (): void => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  return {
    isStopping: () => isStopping,
    async close() {
      isStopping = true;
      await pause(ARRIVAL);
      // The system may have accepted connections that this thread has not seen while it computed. Each turn of the event
      // loop sees more: the connection, its headers, its body.
      for (let turn = 0; turn < 4; turn++) await setImmediate();
      const timers = [
        setTimeout(closeSilent, FIRST_BYTE),
        setTimeout(() => app.server.closeAllConnections(), most),
      ] as const;
      await app.close();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
