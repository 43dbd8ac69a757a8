import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isThere } from '../../run/directory.js';
import { PROGRAM } from '../cluster/cluster.js';
import { RESUME, SECRET } from '../commands/workers.js';
import type { Machines } from './machines.js';

/** So many places on this machine. */
export function localMachines(count: number): Machines {
  return {
    count,
    asked: ['--local', String(count)],
    nameOf: () => undefined,
    addressesOf: async (places) => (await freePorts(places.length)).map((port) => `127.0.0.1:${port}`),
    start(_, words, { secret, again }, isFirst) {
      const [program, ...before] = PROGRAM as [string, ...string[]];
      // In groups of their own, so that Ctrl-C in a terminal reaches them once: through this process.
      return spawn(program, [...before, ...words], {
        stdio: isFirst ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'ignore', 'pipe'],
        detached: true,
        env: { ...process.env, [SECRET]: secret, [RESUME]: again },
      });
    },
    stop: (child) => void child.kill('SIGTERM'),
    kill: (child) => void child.kill('SIGKILL'),
    isBegun: (directory) => isThere(join(directory, 'recipe.yaml')),
    firstKeepsRun: false,
  };
}

/** Ports of this machine that nobody listens at. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
