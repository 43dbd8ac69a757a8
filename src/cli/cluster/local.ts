import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PROGRAM, TAIL, type Cluster } from './cluster.js';

/** Processes on this machine. Each has a group of processes of its own, so that Ctrl-C in a terminal reaches it once:
 *  through this process. */
export function localCluster(): Cluster {
  const children = new Set<ChildProcess>();
  const tell = (signal: NodeJS.Signals): void => children.forEach((child) => void child.kill(signal));
  return {
    async run(words) {
      const [program, ...before] = PROGRAM as [string, ...string[]];
      const child = spawn(program, [...before, ...words], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
      children.add(child);
      let tail = '';
      child.stderr.on('data', (text: Buffer) => (tail = (tail + text.toString()).slice(-TAIL)));
      const [code] = (await once(child, 'exit')) as [number | null];
      children.delete(child);
      return code === 0 ? undefined : tail;
    },
    stop: () => { tell('SIGTERM'); }, // prettier-ignore
    kill: () => { tell('SIGKILL'); }, // prettier-ignore
  };
}
