import { FinetuneError } from '../errors.js';

/** Where a worker listens for the others. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The addresses of all workers by rank, and the rank of this one. */
export interface Places {
  readonly addresses: readonly Address[];
  readonly rank: number;
}

export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Whether the host is this machine, by a name or address that no other machine can reach. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);

const wrong = (message: string, fix: string): FinetuneError =>
  new FinetuneError({ code: 'E_WORKERS_PLACES', message, fix });

/** Reads `host:port`, or `[IPv6 address]:port`. Throws E_WORKERS_PLACES. */
export function parseAddress(text: string): Address {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text.trim());
  const port = Number(found?.[3]);
  if (!found || port < 1 || port > 65535)
    throw wrong(`"${text}" is no address of a worker`, 'write host:port, for example 10.0.0.1:7000');
  return { host: (found[1] ?? found[2])!, port };
}

/** Checks a list of addresses and a rank. Throws E_WORKERS_PLACES. */
export function placesOf(list: readonly string[], rank: number): Places {
  const addresses = list.map(parseAddress);
  const names = addresses.map(formatAddress);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw wrong(`${twice} is the address of two workers`, 'give each worker a port of its own');
  if (addresses.length < 2) throw wrong('there is only one worker', 'name at least two, or leave --workers out');
  if (!Number.isInteger(rank) || rank < 0 || rank >= addresses.length)
    throw wrong(`there is no rank ${rank} among ${addresses.length} workers`, `use 0 to ${addresses.length - 1}`);
  return { addresses, rank };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The port of the first worker of a machine where a cluster does not name one; the others of the machine follow. */
const FIRST_PORT = 7070;

/** Finds the workers in what a cluster tells its processes: TF_CONFIG, Slurm's variables, or those of a Kubernetes
 *  Indexed Job. Throws E_WORKERS_PLACES if there is nothing of that. */
export function placesFrom(env: Environment): Places {
  if (env['TF_CONFIG']) return fromTensorFlow(env['TF_CONFIG']);
  if (env['SLURM_PROCID'] !== undefined) return fromSlurm(env);
  if (env['JOB_COMPLETION_INDEX'] !== undefined) return fromKubernetes(env);
  throw wrong(
    'the environment does not name the workers: TF_CONFIG, SLURM_PROCID and JOB_COMPLETION_INDEX are not set',
    'name them: --workers host:port,host:port --rank N',
  );
}

/** The cluster of tf.distribute: `{"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}`. */
function fromTensorFlow(text: string): Places {
  try {
    const { cluster, task } = JSON.parse(text) as {
      cluster: Readonly<Record<string, readonly string[]>>;
      task: { type: string; index: number };
    };
    const jobs = Object.keys(cluster)
      .filter((job) => job === 'chief' || job === 'worker')
      .sort(); // chief first
    const places = jobs.flatMap((job) => cluster[job]!.map((address, index) => ({ address, job, index })));
    const rank = places.findIndex(({ job, index }) => job === task.type && index === task.index);
    return placesOf(places.map(({ address }) => address), rank); // prettier-ignore
  } catch (error) {
    if (error instanceof FinetuneError) throw error;
    throw wrong(
      'TF_CONFIG is not what tf.distribute describes',
      'set "cluster" with "worker", and "task" with "type" and "index"',
    );
  }
}

/** One process of a Slurm step. Its tasks are placed in blocks, Slurm's default: the first tasks on the first node. */
function fromSlurm(env: Environment): Places {
  const nodes = expandNodes(env['SLURM_STEP_NODELIST'] ?? env['SLURM_JOB_NODELIST'] ?? '');
  const counts = expandCounts(env['SLURM_STEP_TASKS_PER_NODE'] ?? env['SLURM_TASKS_PER_NODE'] ?? '1');
  const places = nodes.flatMap((node, i) =>
    Array.from({ length: counts[i] ?? 1 }, (_, own) => `${node}:${FIRST_PORT + own}`),
  );
  if (nodes.length === 0) throw wrong('SLURM_JOB_NODELIST is not set', 'start the workers with srun');
  return placesOf(places, Number(env['SLURM_PROCID']));
}

/** Expands Slurm's short form of node names: `gpu[01-03,07],login` → gpu01, gpu02, gpu03, gpu07, login. */
export function expandNodes(list: string): string[] {
  const parts = list.match(/[^,[\]]+(?:\[[^\]]*\][^,[\]]*)*/g) ?? [];
  return parts.flatMap(expandPart);
}

function expandPart(part: string): string[] {
  const found = /^([^[]*)\[([^\]]*)\](.*)$/.exec(part);
  if (!found) return [part];
  const [, before, ranges, after] = found as unknown as [string, string, string, string];
  const numbers = ranges.split(',').flatMap((range) => {
    const [first = '', last = first] = range.split('-');
    const length = Number(last) - Number(first) + 1;
    return Array.from({ length }, (_, i) => String(Number(first) + i).padStart(first.length, '0'));
  });
  return numbers.flatMap((number) => expandPart(after).map((rest) => `${before}${number}${rest}`));
}

/** Expands Slurm's short form of counts: `2(x3),1` → 2, 2, 2, 1. */
export const expandCounts = (list: string): number[] =>
  list.split(',').flatMap((part) => {
    const [, count, times] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return Array.from({ length: Number(times ?? 1) }, () => Number(count));
  });

/** A pod of an Indexed Job: its host is called `<job>-<index>`, and found at `<job>-<index>.<service>`, where the service
 *  is the job's `subdomain`. The job's manifest passes `JOB_COMPLETIONS` and `JOB_SUBDOMAIN` to its pods. */
function fromKubernetes(env: Environment): Places {
  const index = Number(env['JOB_COMPLETION_INDEX']);
  const count = Number(env['JOB_COMPLETIONS']);
  const job = /^(.+)-\d+$/.exec(env['HOSTNAME'] ?? '')?.[1];
  const service = env['JOB_SUBDOMAIN'];
  if (!Number.isInteger(count) || !service || job === undefined)
    throw wrong(
      'of the Indexed Job, JOB_COMPLETIONS (the number of pods) or JOB_SUBDOMAIN (the name of its service) is not set, or HOSTNAME is not <job>-<index>',
      'pass both to the pods in the manifest of the job: docs/scaling.md shows one',
    );
  return placesOf(Array.from({ length: count }, (_, i) => `${job}-${i}.${service}:${FIRST_PORT}`), index); // prettier-ignore
}
