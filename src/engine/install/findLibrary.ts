import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readEngineRecord } from './record.js';
import {
  gpuDirectory,
  LIBRARY_SOURCES,
  libraryDirectory,
  machineOf,
  wheelFor,
  WHEEL_VERSION,
  type LibrarySource,
  type Machine,
} from './wheels.js';

/** TensorFlow's C library on the disk. */
export interface Library {
  readonly source: LibrarySource;
  readonly directory: string;
  /** Path of the library with the C functions. */
  readonly main: string;
  /** Path of the library that `main` needs and finds beside itself. Windows has one file for both. */
  readonly framework: string | undefined;
  /** The version that names in the folder tell; `TF_Version` tells it for sure. */
  readonly version: string | undefined;
}

export interface FindOptions extends Partial<Machine> {
  /** The sources to look at. Default: all of LIBRARY_SOURCES. */
  readonly sources?: readonly LibrarySource[];
  /** Paths of libraries to pass over. Default: those that the last set-up could not load. */
  readonly unusable?: readonly string[] | undefined;
  /** Returns the folder of a package of npm. Tests pass folders of their own. */
  readonly packageFolder?: (name: string) => string | undefined;
}

/** Names of the library in the folder `deps/lib` of tfjs-node, as its install script unpacks them (scripts/deps-constants.js
 *  of tfjs-node 4.22). Those with a version are the files, the others link to them. */
const NAMES: Partial<Record<NodeJS.Platform, { main: readonly string[]; framework: readonly string[] }>> = {
  linux: {
    main: ['libtensorflow.so.2', 'libtensorflow.so', 'libtensorflow_cc.so.2'],
    framework: ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  },
  darwin: {
    main: ['libtensorflow.2.dylib', 'libtensorflow.dylib', 'libtensorflow_cc.2.dylib'],
    framework: ['libtensorflow_framework.2.dylib', 'libtensorflow_framework.dylib'],
  },
  win32: { main: ['tensorflow.dll'], framework: [] },
};

/** Finds TensorFlow's C library: that for a GPU in the cache, the download of `@tensorflow/tfjs-node-gpu`, the library that the set-up has put into the
 *  cache, or the download of `@tensorflow/tfjs-node`. Returns undefined if none is in place. It loads nothing. */
export function findLibrary({
  sources = LIBRARY_SOURCES,
  packageFolder = installedFolder,
  unusable,
  ...given
}: FindOptions = {}): Library | undefined {
  const machine = machineOf(given);
  const passedOver = unusable ?? readEngineRecord(machine)?.unusable ?? [];
  for (const source of sources) {
    const library =
      source === 'wheel' || source === 'gpu-wheel'
        ? inCache(source, machine)
        : inPackage(source, machine, packageFolder);
    if (library && !passedOver.includes(library.main)) return library;
  }
  return undefined;
}

function inCache(source: 'gpu-wheel' | 'wheel', machine: Machine): Library | undefined {
  const wheel = wheelFor(machine);
  const isGpu = source === 'gpu-wheel';
  if (!wheel || (isGpu && !(machine.platform === 'linux' && machine.arch === 'x64'))) return undefined;
  const directory = isGpu ? join(gpuDirectory(machine), 'tensorflow') : join(libraryDirectory(machine), 'lib');
  const [main, framework] = [join(directory, wheel.main), join(directory, wheel.framework)];
  if (!existsSync(main) || !existsSync(framework)) return undefined;
  return { source, directory, main, framework, version: WHEEL_VERSION };
}

function inPackage(
  source: 'tfjs-node-gpu' | 'tfjs-node',
  { platform }: Machine,
  packageFolder: (name: string) => string | undefined,
): Library | undefined {
  const folder = packageFolder(`@tensorflow/${source}`);
  const names = NAMES[platform];
  if (folder === undefined || !names) return undefined;
  const directory = join(folder, 'deps', 'lib');
  const first = (candidates: readonly string[]): string | undefined =>
    candidates.map((name) => join(directory, name)).find((path) => existsSync(path));
  const [main, framework] = [first(names.main), first(names.framework)];
  if (main === undefined || (framework === undefined && names.framework.length > 0)) return undefined;
  return { source, directory, main, framework, version: versionIn(directory) };
}

/** The version in names such as libtensorflow.so.2.9.1 and libtensorflow.2.9.1.dylib. */
function versionIn(directory: string): string | undefined {
  for (const name of readdirSync(directory)) {
    const version = /^libtensorflow(?:_cc)?\.(?:so\.)?(\d+\.\d+\.\d+)(?:\.dylib)?$/.exec(name)?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}

/** The folder of a package that is installed where Node looks for it from here. */
export function installedFolder(name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}
