import { isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import sharp from 'sharp';
import type { Category, Dataset, PartName } from '../sample.js';
import { fromColumns, toColumns, type Columns } from './columns.js';
import {
  digestOf,
  LEAST_FILES,
  lookedAt,
  readCheckedBytes,
  scanFile,
  TICK,
  versionOf,
  writeChecked,
} from './scanCache.js';
import { treeVersion } from './treeVersion.js';

/** Options that say what happens to the images afterwards, not what is read. */
const LATER = ['size', 'resize', 'tiles', 'augment', 'prefetch', 'repeatThreshold', 'cropFraction', 'interpolation'];
/** Options that are places. */
const PLACES = ['train', 'val', 'test', 'images', 'names'];
/** The code that reads: what an older one made is not used. */
const CODE = fileURLToPath(new URL('..', import.meta.url));
/** Files and folders outside of the data set that an entry may depend on. */
const MOST_OUTSIDE = 100;

interface Stored {
  readonly parts: readonly (readonly [PartName, Columns])[];
  readonly divided?: { readonly names: readonly string[]; readonly parts: readonly PartName[]; readonly remarks: readonly string[] }; // prettier-ignore
  /** Files and folders outside of the data set that were looked at, with their versions. */
  readonly outside: readonly (readonly [string, string | undefined])[];
}

/** Where a data set is, and how it is read. */
interface DataOptions {
  readonly format: string;
  readonly root?: string | undefined;
}

/** The parts of a data set. */
interface Opened {
  readonly train: Dataset;
  readonly val: Dataset;
  readonly test?: Dataset;
  readonly categories: readonly Category[];
  readonly divided?: { readonly placed: Readonly<Record<string, PartName>>; readonly remarks: readonly string[] };
}

/** What is known of a data set that was opened before. */
export interface OpenedBefore {
  /** The data set, if nothing has changed since. */
  readonly found?: Opened;
  /** Remembers the data set, which was opened without a problem while holdVersions was in force. */
  keep(opened: Opened): Promise<void>;
}

/** Looks whether a data set was opened before, and neither its files nor the options nor the code have changed. A folder
 *  of fewer files than are worth it, and one whose labels or images lie elsewhere, is not remembered: undefined. */
export function openedBefore(data: DataOptions): OpenedBefore | undefined {
  const { root } = data;
  if (root === undefined || !staysInside(data, resolve(root))) return undefined;
  const folder = resolve(root);
  const now = Date.now();
  const tree = treeVersion(folder);
  const code = treeVersion(CODE);
  if (!tree || !code || tree.files < LEAST_FILES) return undefined;
  const options = JSON.stringify(Object.entries(data).filter(([name]) => !LATER.includes(name)));
  const file = scanFile(`${digestOf(`${folder}\n${options}`)}.opened`);
  const reader = [code.digest, sharp.versions.vips, process.version].join(' ');
  const head = `tfjs-finetune opened 1 ${digestOf(`${tree.digest} ${reader}`)}`;
  const bytes = readCheckedBytes(file, head);
  const found = bytes && restored(deserialize(bytes) as Stored, folder);
  return {
    ...(found && { found }),
    keep: async (opened) => {
      const isSettled = now - tree.newest >= TICK && treeVersion(folder)?.digest === tree.digest;
      const stored = isSettled ? storable(opened, folder) : undefined;
      if (stored) await writeChecked(file, head, serialize(stored));
    },
  };
}

/** Whether all places of the options are inside the folder. */
function staysInside(data: DataOptions, folder: string): boolean {
  const isInside = (value: unknown): boolean => {
    if (typeof value === 'string')
      return isAbsolute(value) ? isBelow(value, folder) : !value.split(/[\\/]/).includes('..');
    return typeof value !== 'object' || value === null || Object.values(value).every(isInside);
  };
  return PLACES.every((name) => isInside((data as unknown as Record<string, unknown>)[name]));
}

const isBelow = (path: string, folder: string): boolean => `${resolve(path)}${sep}`.startsWith(`${folder}${sep}`);

function storable({ train, val, test, divided }: Opened, folder: string): Stored | undefined {
  const columns: [PartName, Columns][] = [];
  for (const [part, dataset] of Object.entries({ train, val, ...(test && { test }) }) as [PartName, Dataset][]) {
    const own = toColumns(dataset, folder);
    if (!own) return undefined;
    columns.push([part, own]);
  }
  const { files, folders } = lookedAt();
  const outside = [...files, ...folders].filter((path) => !isBelow(path, folder));
  if (outside.length > MOST_OUTSIDE) return undefined;
  return {
    parts: columns,
    outside: outside.map((path) => [path, versionOf(path)] as const),
    ...(divided && {
      divided: { names: Object.keys(divided.placed), parts: Object.values(divided.placed), remarks: divided.remarks },
    }),
  };
}

function restored({ parts, divided, outside }: Stored, folder: string): Opened | undefined {
  if (outside.some(([path, version]) => versionOf(path) !== version)) return undefined;
  const { train, ...others } = Object.fromEntries(
    parts.map(([part, columns]) => [part, fromColumns(columns, folder)]),
  ) as unknown as Omit<Opened, 'categories' | 'divided'>;
  return {
    train,
    ...others,
    categories: train.categories,
    ...(divided && {
      divided: {
        placed: Object.fromEntries(divided.names.map((name, i) => [name, divided.parts[i]!])),
        remarks: divided.remarks,
      },
    }),
  };
}
