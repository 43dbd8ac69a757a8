import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { CategoryChanges } from '../data/categoryChanges.js';
import { writerNames, writers, type WriterName } from '../data/formats/writers/writers.js';
import type { Loss, Writer } from '../data/formats/writers/writer.js';
import { listFolder } from '../data/image/imageFiles.js';
import type { Dropped, PartName } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import { copyInto, linkInto, makeFolder, makeWhole, remove, writeNew } from '../files/folders.js';
import { collect } from './collect.js';
import { openSource } from './openSource.js';

export interface ConvertOptions {
  /** A folder of labels, or a recipe. */
  readonly source: string;
  readonly to: string;
  /** New or empty folder. */
  readonly out: string;
  /** `link` makes hard links, and copies where the disk has none. */
  readonly images: 'copy' | 'link' | 'none';
  readonly changes?: CategoryChanges | undefined;
  /** Wrong boxes and broken images are left out and counted, rather than an error. */
  readonly skipBroken?: boolean | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Converted {
  readonly source: string;
  readonly to: WriterName;
  readonly out: string;
  readonly parts: Partial<Record<PartName, { readonly images: number; readonly objects: number }>>;
  readonly categories: readonly string[];
  /** What the layout cannot express. */
  readonly losses: readonly Loss[];
  /** What reading left out or corrected. */
  readonly dropped: Partial<Record<PartName, Dropped>>;
  /** Files of labels in the folder that are not read. */
  readonly unread: readonly string[];
}

/** Writes a data set in another layout. The folder appears when it is complete. Throws E_CONVERT_TO for a layout that
 *  cannot be written, E_CONVERT_OUT if the folder is not empty, and what reading throws. */
export async function convert({
  source,
  to,
  out,
  images,
  changes,
  skipBroken,
  onProgress,
  signal,
}: ConvertOptions): Promise<Converted> {
  if (!isWriter(to))
    throw new FinetuneError({
      code: 'E_CONVERT_TO',
      message: `there is no layout "${to}" to write`,
      fix: `the layouts are: ${writerNames.join(', ')}`,
    });
  if ((await listFolder(out)).size > 0)
    throw new FinetuneError({
      code: 'E_CONVERT_OUT',
      message: 'the folder is not empty',
      where: { file: out },
      fix: 'name a new folder with --out',
    });
  const inside = relative(resolve(source), resolve(out));
  if (!inside.startsWith('..') && !isAbsolute(inside))
    throw new FinetuneError({
      code: 'E_CONVERT_OUT',
      message: 'the folder lies inside the data set, which would then have two sets of labels',
      where: { file: out },
      fix: 'name a folder beside the data set with --out',
    });
  const opened = await openSource(source, { changes, skipBroken });
  const byKind: Partial<Record<typeof opened.kind, Writer>> = writers[to];
  const write = byKind[opened.kind];
  if (!write)
    throw new FinetuneError({
      code: 'E_CONVERT_TO',
      message: `"${to}" cannot express a class for each image`,
      where: { file: source },
      fix: 'write it as csv',
    });
  const { set, fileOf, renamed } = collect(opened.parts);
  const { files, imagePath, losses } = write(set);
  const make = async (folder: string): Promise<void> => {
    for (const [path, text] of files) await writeIn(folder, path, (file) => writeNew(file, text));
    let done = 0;
    for (const image of images === 'none' ? [] : set.images) {
      signal?.throwIfAborted();
      const from = fileOf.get(image)!;
      await writeIn(folder, imagePath(image), (file) => (images === 'copy' ? copyInto : linkInto)(from, file));
      onProgress?.(++done, set.images.length);
    }
  };
  await remove(out); // an empty folder
  await makeWhole(out, make, () => Promise.resolve(false));
  const ofPart = (part: PartName) => {
    const own = set.images.filter((image) => image.part === part);
    return { images: own.length, objects: own.reduce((sum, { objects }) => sum + objects.length, 0) };
  };
  return {
    source: opened.description,
    to,
    out,
    parts: Object.fromEntries(set.parts.map((part) => [part, ofPart(part)])),
    categories: set.categories.map(({ name }) => name),
    losses: [
      ...losses,
      ...(renamed > 0 ? [{ what: 'image renamed, since another has the same name', count: renamed }] : []),
    ],
    dropped: opened.dropped,
    unread: opened.unread,
  };
}

const isWriter = (name: string): name is WriterName => (writerNames as readonly string[]).includes(name);

async function writeIn(folder: string, path: string, write: (file: string) => Promise<void>): Promise<void> {
  const file = join(folder, ...path.split('/'));
  await makeFolder(dirname(file));
  await write(file);
}
