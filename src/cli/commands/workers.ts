import { placesFrom, placesOf } from '../../workers/addresses.js';
import type { JoinOptions } from '../../workers/join.js';
import { needed, UsageError, wholeNumber } from '../usage.js';

export interface WorkersFlags {
  readonly workers?: string | undefined;
  readonly rank?: number | undefined;
  readonly trustNetwork?: boolean | undefined;
  readonly wait?: number | undefined;
  readonly silence?: number | undefined;
}

/** The flags of a run that several processes share. */
export const WORKERS_FLAGS: readonly (readonly [flag: string, description: string])[] = [
  [
    '--workers <host:port,…>',
    'train together with other processes: the addresses of all of them by rank, or `auto` to read TF_CONFIG, the variables of Slurm or those of a Kubernetes Indexed Job',
  ],
  ['--rank <n>', 'rank of this process among the workers, from 0; rank 0 keeps the run directory'],
  ['--trust-network', 'allow workers on other machines: what they send each other is not encrypted'],
  ['--wait <seconds>', 'time to wait for the other workers at the start (default: 300)'],
  ['--silence <seconds>', 'time without a sign of life after which a worker counts as lost (default: 60)'],
];

/** The variable with the secret of the workers: a flag would show it to everybody on the machine. */
export const SECRET = 'FINETUNE_WORKERS_SECRET';

/** The variable with the command that resumes the run, where another command has started this process. */
export const RESUME = 'FINETUNE_RESUME_COMMAND';

/** The variable that is set where `finetune launch` holds the input of this process. */
export const LAUNCHED = 'FINETUNE_LAUNCHED';

/** The workers that the flags or the environment name; undefined for a process that trains alone. Throws
 *  E_WORKERS_PLACES. */
export function workersOf(
  { workers, rank, trustNetwork, wait, silence }: WorkersFlags,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Omit<JoinOptions, 'signal' | 'onProgress'> | undefined {
  if (workers === undefined) {
    if ([rank, trustNetwork, wait, silence].some((given) => given !== undefined))
      throw new UsageError('--rank, --trust-network, --wait and --silence need --workers');
    return undefined;
  }
  const list = needed('--workers', workers);
  if (list === 'auto' && rank !== undefined)
    throw new UsageError('--workers auto reads the rank, too: leave --rank out');
  if (list !== 'auto' && rank === undefined)
    throw new UsageError('--workers needs --rank: the place of this process in the list, from 0');
  const places = list === 'auto' ? placesFrom(env) : placesOf(list.split(','), wholeNumber('--rank', rank, 0));
  const seconds = (flag: string, value: number | undefined) =>
    value === undefined ? undefined : wholeNumber(flag, value, 1);
  const times = { patience: seconds('--wait', wait), silence: seconds('--silence', silence) };
  return { ...places, trustNetwork, ...times, secret: env[SECRET] };
}
