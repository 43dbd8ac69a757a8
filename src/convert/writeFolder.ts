import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Written, WrittenImage, WrittenSet } from '../data/formats/writers/writer.js';
import { listFolder } from '../data/image/imageFiles.js';
import type { PartName } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import { copyInto, linkInto, makeFolder, makeWhole, remove, writeNew } from '../files/folders.js';

export interface WriteFolderOptions {
  /** New or empty folder. */
  readonly out: string;
  /** `link` makes hard links, and copies where the disk has none. */
  readonly images: 'copy' | 'link' | 'none';
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type PartCounts = Partial<Record<PartName, { readonly images: number; readonly objects: number }>>;

/** Throws E_CONVERT_OUT for a folder that has files, or lies inside the data set that is read. */
export async function needNewFolder(out: string, source: string): Promise<void> {
  const refuse = (message: string, fix: string): never => {
    throw new FinetuneError({ code: 'E_CONVERT_OUT', message, where: { file: out }, fix });
  };
  if ((await listFolder(out)).size > 0) refuse('the folder is not empty', 'name a new folder');
  const inside = relative(resolve(source), resolve(out));
  if (!inside.startsWith('..') && !isAbsolute(inside))
    refuse(
      'the folder lies inside the data set, which would then have two sets of labels',
      'name a folder beside the data set',
    );
}

/** Writes the files of a data set and its images. The folder appears when it is complete. */
export async function writeFolder(
  { files, imagePath }: Pick<Written, 'files' | 'imagePath'>,
  { set, fileOf }: { readonly set: WrittenSet; readonly fileOf: ReadonlyMap<WrittenImage, string> },
  { out, images, onProgress, signal }: WriteFolderOptions,
): Promise<void> {
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
}

/** The numbers of images and objects of each part. */
export const countParts = ({ parts, images }: WrittenSet): PartCounts =>
  Object.fromEntries(
    parts.map((part) => {
      const own = images.filter((image) => image.part === part);
      return [part, { images: own.length, objects: own.reduce((sum, { objects }) => sum + objects.length, 0) }];
    }),
  );

async function writeIn(folder: string, path: string, write: (file: string) => Promise<void>): Promise<void> {
  const file = join(folder, ...path.split('/'));
  await makeFolder(dirname(file));
  await write(file);
}
