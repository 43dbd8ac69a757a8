import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { run, succeeds, unavailable, type SetupOptions } from './libtensorflow.js';
import { libraryDirectory, thisMachine } from './wheels.js';

const require = createRequire(import.meta.url);
const COMPILERS = ['c++', 'g++', 'clang++'];
const COMPILE_LIMIT = 10 * 60_000; // ms; it takes about 15 s

/** Where tfjs-node looks for its native module: `lib/napi-v<n>/tfjs_binding.node`, with n for this version of Node. */
export function bindingPath(tfjsNode: string): string {
  const requireOfTfjs = createRequire(join(tfjsNode, 'package.json'));
  const preGyp = requireOfTfjs('@mapbox/node-pre-gyp') as { find(packageJson: string): string };
  return preGyp.find(join(tfjsNode, 'package.json'));
}

/** Path in the cache of the binding that is compiled for this tfjs-node, this Node and the library beside it. */
export function cachedBinding(tfjsNode: string, env: NodeJS.ProcessEnv): string {
  const { version } = JSON.parse(readFileSync(join(tfjsNode, 'package.json'), 'utf8')) as { version: string };
  return join(
    libraryDirectory(thisMachine(env)),
    'binding',
    `tfjs-node-${version}-node-${process.versions.modules}`,
    'tfjs_binding.node',
  );
}

/** Finds a C++ compiler that runs: `$CXX`, c++, g++ or clang++. Throws E_ENGINE_SETUP if there is none. */
export async function findCompiler(env: NodeJS.ProcessEnv): Promise<string> {
  for (const compiler of env.CXX ? [env.CXX] : COMPILERS) {
    const works = run(compiler, ['--version'], { env, timeout: 30_000 });
    if (await succeeds(works)) return compiler;
  }
  throw unavailable(
    'there is no C++ compiler to build the TensorFlow binding with',
    'install one (apt-get install g++)',
  );
}

/** Compiles tfjs-node's two C++ files against the library in the cache, into `cachedBinding`. Throws E_ENGINE_SETUP if the
 *  compiler fails.
 *
 *  This does what binding.gyp does, without node-gyp, which needs Python, make and Node's headers (a download). The binding
 *  uses only Node-API, whose headers are an npm package. */
export async function compileBinding(
  tfjsNode: string,
  { signal, onProgress, env = process.env }: SetupOptions,
): Promise<void> {
  const compiler = await findCompiler(env);
  const headers = require('node-api-headers') as { include_dir: string };
  const library = libraryDirectory(thisMachine(env));
  const target = cachedBinding(tfjsNode, env);
  const temporary = `${target}.${process.pid}`;
  const napiVersion = /napi-v(\d+)/.exec(bindingPath(tfjsNode))?.[1] ?? '8';
  onProgress?.('compiling the TensorFlow binding');
  mkdirSync(dirname(target), { recursive: true });
  const defines = ['-DNODE_GYP_MODULE_NAME=tfjs_binding', '-DBUILDING_NODE_EXTENSION', `-DNAPI_VERSION=${napiVersion}`];
  const includes = ['-I', headers.include_dir, '-I', join(library, 'include')];
  const sources = ['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc'];
  const links = [
    '-L',
    join(library, 'lib'),
    '-ltensorflow',
    '-ltensorflow_framework',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ];
  const args = [
    '-O2',
    '-std=c++17',
    '-fPIC',
    '-shared',
    '-w',
    ...defines,
    ...includes,
    ...sources,
    '-o',
    temporary,
    ...links,
  ];
  try {
    await run(compiler, args, { cwd: tfjsNode, env, signal, timeout: COMPILE_LIMIT });
    renameSync(temporary, target);
  } catch (cause) {
    signal?.throwIfAborted();
    throw unavailable(
      `the TensorFlow binding does not compile (${(cause as Error).message})`,
      'use a C++17 compiler',
      cause,
    );
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Makes tfjs-node use the library and the binding of the cache. */
export function linkBinding(tfjsNode: string, env: NodeJS.ProcessEnv): void {
  unlinkBinding(tfjsNode);
  symlinkSync(libraryDirectory(thisMachine(env)), join(tfjsNode, 'deps'), 'dir');
  const target = bindingPath(tfjsNode);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(cachedBinding(tfjsNode, env), target); // a copy, since the loader resolves $ORIGIN against its folder
}

/** Removes tfjs-node's library and binding, so that requiring it throws instead of ending the process. */
export function unlinkBinding(tfjsNode: string): void {
  rmSync(bindingPath(tfjsNode), { force: true });
  rmSync(join(tfjsNode, 'deps'), { recursive: true, force: true });
}

/** Whether library and binding are in place. It does not load them. */
export function isLinked(tfjsNode: string): boolean {
  return existsSync(bindingPath(tfjsNode)) && existsSync(join(tfjsNode, 'deps', 'lib'));
}
