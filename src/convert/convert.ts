import type { CategoryChanges } from '../data/categoryChanges.js';
import { writerNames, writers, type WriterName } from '../data/formats/writers/writers.js';
import type { Loss, Writer } from '../data/formats/writers/writer.js';
import type { Dropped, PartName } from '../data/sample.js';
import { didYouMean } from '../didYouMean.js';
import { FinetuneError } from '../errors.js';
import { collect } from './collect.js';
import { openSource } from './openSource.js';
import { countParts, needNewFolder, writeFolder, type PartCounts } from './writeFolder.js';

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
  readonly parts: PartCounts;
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
      fix: didYouMean(to, writerNames) ?? `the layouts are: ${writerNames.join(', ')}`,
    });
  await needNewFolder(out, source);
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
  const written = write(set);
  await writeFolder(written, { set, fileOf }, { out, images, onProgress, signal });
  return {
    source: opened.description,
    to,
    out,
    parts: countParts(set),
    categories: set.categories.map(({ name }) => name),
    losses: [
      ...written.losses,
      ...(renamed > 0 ? [{ what: 'image renamed, since another has the same name', count: renamed }] : []),
    ],
    dropped: opened.dropped,
    unread: opened.unread,
  };
}

const isWriter = (name: string): name is WriterName => (writerNames as readonly string[]).includes(name);
