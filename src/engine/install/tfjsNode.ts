import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, unavailable, type SetupOptions } from './libtensorflow.js';
import { cacheDirectory } from './wheels.js';

const NAME = '@tensorflow/tfjs-node';
const NPM_LIMIT = 20 * 60_000; // ms; it takes about a minute
const program = fileURLToPath(new URL('../../../', import.meta.url)); // the clone, or the installed package
/** A package.json that names tfjs-node, and the lock file with the version and the hash of all that it needs. */
const locked = join(program, 'src', 'engine', 'install', 'tfjsNode');

/** The command that installs the engine, in a clone and in a project that has the package. */
export const SETUP = existsSync(join(program, 'setup.mjs')) ? 'npm run setup' : 'npx finetune setup';

/** The folder of tfjs-node: the one that npm installed, or else the one that an earlier set-up of this user has put into
 *  the cache. Returns undefined if there is neither: npm leaves out an optional package whose install script fails. */
export function tfjsNodeDirectory(env = process.env): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${NAME}/package.json`));
  } catch {
    const cached = join(cachedTree(env), 'node_modules', NAME);
    return existsSync(cached) ? cached : undefined;
  }
}

/** Installs tfjs-node into the cache with npm, without any install script. npm compares each package with its hash in our
 *  lock file. Returns the folder of tfjs-node. Throws E_ENGINE_SETUP if npm or the network does not allow it. */
export async function fetchTfjsNode({ env = process.env, signal, onProgress }: SetupOptions): Promise<string> {
  onProgress?.(`installing ${NAME} into the cache with npm (300 MB, once per user)`);
  const target = cachedTree(env);
  await mkdir(dirname(target), { recursive: true });
  const temporary = await mkdtemp(join(dirname(target), 'partial-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(locked, file), join(temporary, file));
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    // npm_execpath may be the path of yarn or pnpm, whose `ci` is another command.
    const cli = env.npm_execpath ?? '';
    const [npm, ...before] = basename(cli) === 'npm-cli.js' ? [process.execPath, cli] : ['npm'];
    await run(npm, [...before, 'ci', ...options], { cwd: temporary, env, signal, timeout: NPM_LIMIT });
    await rename(temporary, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // else another process was faster, and its copy is as good
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw unavailable(`npm cannot install ${NAME} (${(cause as Error).message})`, 'check npm and its registry', cause);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return join(target, 'node_modules', NAME);
}

function cachedTree(env: NodeJS.ProcessEnv): string {
  const { dependencies } = JSON.parse(readFileSync(join(locked, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return join(cacheDirectory(env), `tfjs-node-${dependencies[NAME]!}`);
}
