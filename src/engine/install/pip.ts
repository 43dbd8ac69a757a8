import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../files/folders.js';
import { run } from './program.js';
import type { SetupOptions } from './setupOptions.js';
import { WHEEL_VERSION, type Wheel } from './wheels.js';

const PIPS = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['py', '-m', 'pip'], ['pip3'], ['pip']] as const;
const DOWNLOAD_LIMIT = 30 * 60_000; // ms: 260 MB at 150 kB/s. pip's own time-outs end a dead connection much sooner.
const START_LIMIT = 30_000; // ms

/** Finds a pip that runs, as the words of its command. */
export async function findPip(env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<readonly string[] | undefined> {
  for (const pip of PIPS) {
    const [program, ...module] = pip;
    const works = await run(program, [...module, '--version'], { env, signal, timeout: START_LIMIT }).then(
      () => true,
      () => false,
    );
    signal?.throwIfAborted();
    if (works) return pip;
  }
  return undefined;
}

/** Downloads the wheel with pip, which knows ways that we do not: passwords in a keyring or in .netrc, certificates of the
 *  system and of the user, SOCKS proxies. Returns its path in `folder`. Throws an Error with what pip says. */
export async function downloadWithPip(
  [program = '', ...module]: readonly string[],
  { project, file }: Wheel,
  folder: string,
  { env, signal }: Required<Pick<SetupOptions, 'env'>> & SetupOptions,
): Promise<string> {
  await makeFolder(folder);
  const [python = '', platform = ''] = /cp(\d+)-cp\d+-(\w+)\.whl$/.exec(file)?.slice(1) ?? [];
  const how = ['--no-deps', '--only-binary=:all:', '--no-input', '--progress-bar=off', '--retries=1', '--dest', folder];
  const what = [
    '--implementation',
    'cp',
    '--python-version',
    python,
    '--platform',
    platform,
    `${project}==${WHEEL_VERSION}`,
  ];
  const pipEnv = { ...env, PIP_REQUIRE_VIRTUALENV: 'false', PIP_DISABLE_PIP_VERSION_CHECK: '1', TMPDIR: folder };
  await run(program, [...module, 'download', ...how, ...what], { env: pipEnv, signal, timeout: DOWNLOAD_LIMIT });
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip download left no wheel');
  return join(folder, wheel);
}
