import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DemoEngine } from '../../demo/content.js';
import { onDisk } from '../../files/disk.js';
import { packageFolder } from '../../files/packageFolder.js';

/** What a page needs of npm packages to run models with an engine. */
interface EngineFiles {
  /** Scripts in the order in which the page loads them. */
  readonly scripts: readonly PackageFile[];
  /** Files that the scripts need, which the page cannot fetch when it was opened from the disk. */
  readonly packed: readonly PackageFile[];
  readonly license: string;
}
interface PackageFile {
  readonly package: string;
  /** A path from the folder of the package's main file on. */
  readonly path: string;
}

const tfjs = (name: string, path: string): PackageFile => ({ package: `@tensorflow/${name}`, path });
const ort = (path: string): PackageFile => ({ package: 'onnxruntime-web', path });

const ENGINES: Readonly<Record<DemoEngine, EngineFiles>> = {
  tensorflow: {
    scripts: [
      tfjs('tfjs-core', 'tf-core.es2017.min.js'),
      tfjs('tfjs-converter', 'tf-converter.es2017.min.js'),
      tfjs('tfjs-backend-wasm', 'tf-backend-wasm.es2017.min.js'),
    ],
    packed: [tfjs('tfjs-backend-wasm', 'tfjs-backend-wasm-simd.wasm')],
    license: 'Apache-2.0',
  },
  onnxruntime: {
    scripts: [ort('ort.wasm.min.js')],
    packed: [ort('ort-wasm-simd-threaded.mjs'), ort('ort-wasm-simd-threaded.wasm')],
    license: 'MIT',
  },
};

/** The files of an engine, read from its packages. */
export interface ReadEngine {
  readonly scripts: readonly { readonly name: string; readonly content: Uint8Array }[];
  readonly packed: Readonly<Record<string, Uint8Array>>;
  /** A line for each package: name, version and licence. */
  readonly notices: readonly string[];
}

/** Reads what a page needs of an engine. Throws E_ENGINE_UNAVAILABLE if a package is not installed. */
export async function readEngine(engine: DemoEngine): Promise<ReadEngine> {
  const { scripts, packed, license } = ENGINES[engine];
  const read = (file: PackageFile) => {
    const path = placeOf(file);
    return onDisk(path, () => readFile(path));
  };
  const nameOf = ({ path }: PackageFile): string => path.split('/').at(-1)!;
  const packages = [...new Set([...scripts, ...packed].map((file) => file.package))];
  return {
    scripts: await Promise.all(scripts.map(async (file) => ({ name: nameOf(file), content: await read(file) }))),
    packed: Object.fromEntries(
      await Promise.all(packed.map(async (file) => [nameOf(file), await read(file)] as const)),
    ),
    notices: await Promise.all(packages.map(async (name) => `${name} ${await versionOf(name)}, ${license}`)),
  };
}

/** The folder `dist` of a package: that of its main file. */
const folderOf = (name: string): string =>
  packageFolder(name, `npm install ${name}, or export with --format tfjs, whose engine is installed`);

const placeOf = (file: PackageFile): string => join(folderOf(file.package), file.path);

async function versionOf(name: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(dirname(folderOf(name)), 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
