import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import { diskError } from '../../files/disk.js';
import { discard, makeFolder, makeWhole, remove } from '../../files/folders.js';
import { withLock } from '../../files/lock.js';
import { run } from './program.js';
import { unavailable, type SetupOptions } from './setupOptions.js';
import { cacheDirectory, machineOf, type Machine } from './wheels.js';

/** A package of npm, and the sha512 of its archive, as the registry of npm tells it. */
interface Archive {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

/** ONNX Runtime and the JavaScript that it needs. It is no dependency of this package: its install script downloads 300 MB of
 *  CUDA on Linux, without a hash, and ends the whole installation where it cannot; and its archive has the libraries of five
 *  systems (300 MB). What runs here comes into the cache instead. */
export const ARCHIVES: readonly Archive[] = [
  {
    name: 'onnxruntime-node',
    version: '1.30.0',
    integrity: 'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
  },
  {
    name: 'onnxruntime-common',
    version: '1.30.0',
    integrity: 'sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==',
  },
];

const NPM_LIMIT = 20 * 60_000; // ms; it takes some seconds

export interface OnnxRuntimeOptions extends SetupOptions {
  /** Packages to fetch. Tests name others. */
  readonly archives?: readonly Archive[];
  /** Whether a copy that npm has installed counts. */
  readonly useInstalled?: boolean;
}

/** The file to load ONNX Runtime from: that of a package which a person has installed, or that in the cache. */
export function findOnnxRuntime({ useInstalled = true, ...given }: OnnxRuntimeOptions = {}): string | undefined {
  if (useInstalled) {
    try {
      return createRequire(import.meta.url).resolve('onnxruntime-node');
    } catch {
      // it is in the cache, or nowhere
    }
  }
  const cached = join(onnxRuntimeDirectory(machineOf(given)), 'node_modules', 'onnxruntime-node', 'dist', 'index.js');
  return existsSync(cached) ? cached : undefined;
}

const onnxRuntimeDirectory = ({ env, platform, arch }: Machine): string =>
  join(cacheDirectory(env), `onnxruntime-${ARCHIVES[0]!.version}-${platform}-${arch}`);

/** Puts ONNX Runtime into the cache, unless it is found: npm downloads the archives, with the user's settings of npm and
 *  without running a script; each is compared with its sha512. Throws E_ENGINE_SETUP, E_DISK_…. */
export async function fetchOnnxRuntime(options: OnnxRuntimeOptions = {}): Promise<void> {
  const { signal, onProgress, archives = ARCHIVES } = options;
  if (findOnnxRuntime(options) !== undefined) return;
  const machine = machineOf(options);
  const target = onnxRuntimeDirectory(machine);
  const partial = join(cacheDirectory(machine.env), 'partial');
  const packed = join(partial, basename(target));
  const isThere = (): boolean => findOnnxRuntime({ ...options, useInstalled: false }) !== undefined;
  try {
    await makeFolder(partial);
    await withLock(`${packed}.lock`, signal, async () => {
      if (isThere()) return;
      await remove(packed);
      await makeFolder(packed);
      onProgress?.({ message: `downloading ONNX Runtime ${ARCHIVES[0]!.version} (114 MB) with npm to ${target}` });
      const files = await pack(archives, packed, machine.env, signal);
      await makeWhole(
        target,
        async (temporary) => {
          for (const [i, { name }] of archives.entries()) {
            const folder = join(temporary, 'node_modules', name);
            await makeFolder(folder);
            await extract({ file: files[i]!, cwd: folder, strip: 1, filter: (path) => isNeeded(path, machine) });
          }
        },
        () => Promise.resolve(isThere()),
      );
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw diskError(error, target);
  } finally {
    await discard(packed);
  }
}

/** Of the native libraries, those of this system alone. */
const isNeeded = (path: string, { platform, arch }: Machine): boolean =>
  path.startsWith('package/bin/')
    ? path.startsWith(`package/bin/napi-v6/${platform}/${arch}/`)
    : /^package\/(dist\/.*\.(js|json)|package\.json|LICENSE.*|ThirdParty.*)$/.test(path);

/** Lets npm download the archives to `folder`. Returns their paths. */
async function pack(
  archives: readonly Archive[],
  folder: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  // npm_execpath may be the path of yarn or pnpm, whose `pack` is another command.
  const cli = env.npm_execpath ?? '';
  const [npm, ...before] = basename(cli) === 'npm-cli.js' ? [process.execPath, cli] : ['npm'];
  const specs = archives.map(({ name, version }) => `${name}@${version}`);
  const args = [
    ...before,
    'pack',
    ...specs,
    '--ignore-scripts',
    '--loglevel=error',
    '--fetch-retries=1',
    '--pack-destination',
    folder,
  ];
  const shell = npm === 'npm' && process.platform === 'win32'; // npm is npm.cmd there
  await run(npm, args, { env, signal, timeout: NPM_LIMIT, shell, cwd: folder }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    const fix = 'check npm and its registry (npm config get registry)';
    throw unavailable(`npm cannot fetch ONNX Runtime (${(cause as Error).message})`, fix, cause);
  });
  return Promise.all(
    archives.map(async ({ name, version, integrity }) => {
      const file = join(folder, `${name}-${version}.tgz`);
      const hash = createHash('sha512');
      await pipeline(createReadStream(file), hash, signal ? { signal } : {});
      if (`sha512-${hash.digest('base64')}` === integrity) return file;
      const fix = 'its registry serves another file than that of npm: check `npm config get registry`';
      throw unavailable(`the ${name} that npm fetched has another sha512 than ours, and is not used`, fix);
    }),
  );
}
