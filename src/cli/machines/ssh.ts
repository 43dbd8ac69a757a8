import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { formatAddress, parseAddress, placesOf } from '../../workers/addresses.js';
import { LAUNCHED, RESUME, SECRET } from '../commands/workers.js';
import { quote } from '../quote.js';
import { UsageError } from '../usage.js';
import type { Machines } from './machines.js';

/** A line of the file of hosts. */
export interface Host {
  /** What ssh connects to: a host, user@host or a name of its configuration. */
  readonly destination: string;
  /** `host:port` at which the other workers reach its worker. */
  readonly address: string;
}

export interface SshOptions {
  /** The file of hosts. */
  readonly file: string;
  /** The folder of each host in which the command runs. */
  readonly folder: string;
  /** The command of each host that is this program, as its shell reads it. */
  readonly program: string;
}

/** The port of a host's first worker where the file names none; further workers of the host follow. */
const FIRST_PORT = 7070;

/** Reads a file of hosts: on each line a destination of ssh, and where the other workers reach it under another name or at a
 *  port of its own, `host:port`. Empty lines and those after # do not count. Throws UsageError and E_WORKERS_PLACES. */
export function parseHosts(text: string, file: string): Host[] {
  const seen = new Map<string, number>();
  const hosts = text.split('\n').flatMap((line, i): Host[] => {
    const [destination, address, ...others] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!destination) return [];
    if (destination.startsWith('-') || others.length > 0)
      throw new UsageError(`${file}:${i + 1}: a line is a destination of ssh, and if needed host:port of its worker`);
    if (address !== undefined) return [{ destination, address: formatAddress(parseAddress(address)) }];
    const host = destination.replace(/^.*@/, '');
    const before = seen.get(host) ?? 0;
    seen.set(host, before + 1);
    return [{ destination, address: formatAddress({ host, port: FIRST_PORT + before }) }];
  });
  if (hosts.length === 0) throw new UsageError(`${file} names no host`);
  if (hosts.length > 1) placesOf(hosts.map(({ address }) => address), 0); // prettier-ignore
  return hosts;
}

/** ssh asks nothing, and gives up a host that does not answer for a minute. */
const SSH = ['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=20', '-o', 'ServerAliveInterval=15', '-o', 'ServerAliveCountMax=4']; // prettier-ignore
/** Milliseconds after which a connection is cut whose worker should have ended. */
const PATIENCE = 8000;

/** The hosts of a file, reached by the system's ssh. Each worker reads its secret from its input, and ends when its
 *  input does (endWithInput.ts): when it is told to, when this process ends, and when the connection breaks. */
export async function sshMachines({ file, folder, program }: SshOptions): Promise<Machines> {
  const hosts = parseHosts(await readFile(file, 'utf8'), file);
  return {
    count: hosts.length,
    asked: ['--ssh', file, '--remote-folder', folder, '--remote-command', program],
    nameOf: (place) => hosts[place]!.destination,
    addressesOf: (places) => Promise.resolve(places.map((place) => hosts[place]!.address)),
    start(place, words, { secret, again }, isFirst) {
      const known = { [SECRET]: secret, [RESUME]: again };
      const script = [
        ...Object.keys(known).map((name) => `IFS= read -r ${name}`),
        `export ${Object.keys(known).join(' ')} ${LAUNCHED}=1`,
        `cd ${quote(folder)}`,
        `exec ${program} ${words.map(quote).join(' ')}`,
      ].join(' && ');
      const ssh = [...SSH, '--', hosts[place]!.destination, `exec sh -c ${quote(script)}`];
      const child = spawn('ssh', ssh, {
        stdio: isFirst ? ['pipe', 'inherit', 'inherit'] : ['pipe', 'ignore', 'pipe'],
        detached: true,
      });
      child.stdin!.on('error', () => undefined); // the connection has ended
      child.stdin!.write(`${Object.values(known).join('\n')}\n`);
      return child;
    },
    stop: (child) => void child.stdin!.end(),
    kill(child) {
      child.stdin!.end();
      setTimeout(() => child.kill('SIGKILL'), PATIENCE).unref();
    },
    isBegun: () => Promise.resolve(true), // the first worker tells if not
    firstKeepsRun: true,
  };
}
