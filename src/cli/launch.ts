import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadRecipe } from '../recipe/load.js';
import { isThere, newRunPath } from '../run/directory.js';
import { maskSecrets } from '../maskSecrets.js';
import { RESUME, SECRET } from './commands/workers.js';
import { isFolder } from './init.js';
import { listenForInterrupt, Stopped } from './interrupt.js';
import { leave } from './leave.js';
import { quote } from './quote.js';
import { Reported, UsageError } from './usage.js';

export interface LaunchCommand {
  /** Processes on this machine. */
  readonly local: number;
  readonly set: readonly string[];
  readonly out?: string | undefined;
  readonly threads?: string | undefined;
  readonly resume?: boolean;
  readonly json?: boolean;
  /** How often a run that lost a worker is resumed. */
  readonly maxRestarts: number;
}

/** Seconds that the other workers have to end by themselves after one has failed. */
const GRACE = 15;

/** `finetune launch`: runs a recipe with several processes on this machine, and resumes the run if one of them is lost.
 *  The first one prints what `finetune recipe.yaml` prints. Throws a `Reported` with its exit code if the run failed. */
export async function launch(path: string, command: LaunchCommand): Promise<void> {
  const { set, out, maxRestarts } = command;
  if (await isFolder(path)) throw new UsageError('launch takes a recipe: finetune init makes one for a folder');
  const recipe = await loadRecipe(path, { set });
  const directory = resolve(out ?? newRunPath(recipe.out, basename(path).replace(/\.ya?ml$/, '')));
  const again = maskSecrets(resumeLaunch(path, directory, command));
  const children: ChildProcess[] = [];
  const { signal, stop } = listenForInterrupt(
    () => void children[0]?.kill('SIGTERM'), // it saves and ends, and the others end with it
    (exitCode) => {
      for (const child of children) child.kill('SIGKILL');
      leave(exitCode);
    },
  );
  try {
    for (let restarts = 0; ; restarts++) {
      const resume = restarts > 0 || command.resume === true;
      const codes = await runWorkers(children, await wordsOf(path, directory, { ...command, resume }), {
        again,
        signal,
      });
      if (codes.every((code) => code === 0)) return;
      if (signal.reason instanceof Stopped) throw new Reported(signal.reason.exitCode);
      const isUsage = codes.includes(2);
      if (isUsage || restarts === maxRestarts || !(await isThere(join(directory, 'recipe.yaml'))))
        throw new Reported(codes[0] || 1);
      console.error(`a worker was lost; resuming from the last checkpoint, restart ${restarts + 1} of ${maxRestarts}`);
    }
  } finally {
    stop();
  }
}

/** The command that continues the run, ready to paste into a shell. */
function resumeLaunch(path: string, directory: string, { local, set, threads }: LaunchCommand): string {
  const settings = set.flatMap((setting) => ['--set', setting]);
  const own = threads === undefined ? [] : ['--threads', threads];
  const words = ['launch', path, '--local', String(local), ...settings, '--out', directory, ...own, '--resume'];
  return ['finetune', ...words.map(quote)].join(' ');
}

/** The command line of each worker. */
async function wordsOf(
  path: string,
  directory: string,
  { local, set, threads, resume, json }: LaunchCommand,
): Promise<string[][]> {
  const addresses = (await freePorts(local)).map((port) => `127.0.0.1:${port}`);
  const share = Math.max(1, Math.floor(availableParallelism() / local));
  const common = [
    path,
    ...set.flatMap((setting) => ['--set', setting]),
    '--out',
    directory,
    '--threads',
    threads ?? String(share),
    ...(resume ? ['--resume'] : []),
  ];
  return addresses.map((_, rank) => [
    ...common,
    ...(local > 1 ? ['--workers', addresses.join(), '--rank', String(rank)] : []),
    ...(json && rank === 0 ? ['--json'] : []),
  ]);
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

/** Runs the workers until all of them have ended, and returns their exit codes; -1 for one that a signal ended. Those
 *  that go on although another one has failed are killed. */
async function runWorkers(
  children: ChildProcess[],
  commands: readonly (readonly string[])[],
  { again, signal }: { readonly again: string; readonly signal: AbortSignal },
): Promise<number[]> {
  const env = { ...process.env, [SECRET]: randomBytes(16).toString('hex'), [RESUME]: again };
  const program = fileURLToPath(new URL('main.js', import.meta.url));
  let grace: NodeJS.Timeout | undefined;
  const killAll = () => children.forEach((child) => void child.kill('SIGKILL'));
  children.splice(
    0,
    Infinity,
    ...commands.map((words, rank) =>
      // In groups of their own, so that Ctrl-C in a terminal reaches them once: through this process.
      spawn(process.execPath, [program, ...words], {
        stdio: rank === 0 ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'ignore', 'pipe'],
        detached: true,
        env,
      }),
    ),
  );
  const ends = children.map(async (child, rank) => {
    let tail = '';
    child.stderr?.on('data', (text: Buffer) => (tail = (tail + text.toString()).slice(-2000)));
    const [code, ended] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code === 0) return 0;
    grace ??= setTimeout(killAll, 1000 * GRACE);
    if (rank > 0 && !signal.aborted) console.error(describeEnd(rank, commands.length, ended, tail));
    return code ?? -1;
  });
  const codes = await Promise.all(ends);
  clearTimeout(grace);
  return codes;
}

function describeEnd(rank: number, count: number, signal: NodeJS.Signals | null, tail: string): string {
  const name = `worker ${rank} of ${count}`;
  if (signal) return `${name} was ended by ${signal}`;
  const lines = tail.trimEnd().split('\n').slice(-4);
  return `${name} has failed:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
