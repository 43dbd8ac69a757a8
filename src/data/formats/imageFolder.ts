import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, relative, resolve } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { didYouMean } from '../../didYouMean.js';
import { IMAGE_EXTENSION, isHidden } from '../image/imageFiles.js';
import type { LabelledImage, LabelledPart } from './labelledDataset.js';
import {
  HELD_OUT,
  labelledFormat,
  type LabelledLayout,
  type LabelledPlaces,
  type ReadPartOptions,
} from './labelledFormat.js';

/** A folder for each class: `train/cat/1.jpg`, `val/dog/2.jpg`. */
export const imageFolder = labelledFormat<'imageFolder'>({ findParts, readPart: readClassFolders });

/** Infers what is left out from the folder: `train` (or the root itself, if it has none) and `val`, `valid` or
 *  `validation` (or a fifth of the training images). Throws E_FOLDER_PART if a folder does not exist. */
async function findParts({
  root,
  train,
  val,
  test,
}: Parameters<LabelledLayout['findParts']>[0]): Promise<LabelledPlaces> {
  const { folders } = await look(root);
  const find = (...names: readonly string[]): string | undefined =>
    names.flatMap((name) => folders.filter((folder) => folder.toLowerCase() === name))[0];
  for (const [part, name] of Object.entries({ train, val, test })) {
    if (typeof name === 'string') await assertFolder(root, part, name, folders);
  }
  const whole = train ?? find('train', 'training') ?? '.';
  const held = val ?? (whole === '.' ? undefined : find('val', 'valid', 'validation')) ?? HELD_OUT;
  return { train: whole, val: held, test };
}

async function assertFolder(root: string, part: string, name: string, folders: readonly string[]): Promise<void> {
  const file = resolve(root, name);
  const there = await stat(file).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (there) return;
  const share = part === 'val' ? '; or a number such as 0.2 to hold out that share of the training images' : '';
  throw new FinetuneError({
    code: 'E_FOLDER_PART',
    message: `there is no folder "${name}"`,
    where: { file },
    fix: didYouMean(name, folders) ?? `set data.${part} to one of: ${folders.join(', ') || '(none here)'}${share}`,
  });
}

/** Reads a folder that holds a folder for each class; folders inside a class belong to it. Problems go to `findings`.
 *  Throws E_FOLDER_CLASSES if there is no class. */
async function readClassFolders(root: string, part: string, { findings }: ReadPartOptions): Promise<LabelledPart> {
  const place = resolve(root, part);
  const { folders, files } = await look(place);
  const images: LabelledImage[] = [];
  const classes: string[] = [];
  for (const file of files.filter(isImage)) {
    const where = { file: join(place, file) };
    findings.count('image outside of every class folder', () => ({ message: file, where }));
  }
  for (const folder of folders) {
    const label = folder.normalize(); // file systems differ in how they compose accents
    const inside = await filesUnder(join(place, folder), [await realpath(place)]);
    const found = inside.filter(isImage);
    for (const file of inside) {
      if (isImage(file)) continue;
      findings.count(`file that is no image (${extname(file) || 'no extension'})`, () => ({
        message: file,
        where: { file },
      }));
    }
    if (classes.includes(label))
      findings.count('class folder whose name differs in its bytes alone, joined with the other', () => ({
        message: label,
        where: { file: join(place, folder) },
      }));
    classes.push(label);
    for (const file of found) {
      images.push({ name: relative(place, file).replaceAll('\\', '/'), file, label, where: { file } });
    }
  }
  if (classes.length === 0) {
    const loose = files.filter(isImage).length;
    throw new FinetuneError({
      code: 'E_FOLDER_CLASSES',
      message: loose > 0 ? `there are ${loose} images, but no class folders` : 'there are no class folders',
      where: { file: place },
      fix: 'put the images of each class into a folder of its own (data.train names the folder above), or use data.format: csv',
    });
  }
  return { name: part === '.' ? 'images' : part, classes: [...new Set(classes)].sort(), images, place };
}

/** The visible folders and files of a folder, sorted; links are followed. Throws E_FOLDER_ROOT if the folder cannot be
 *  read. */
async function look(dir: string): Promise<{ folders: string[]; files: string[] }> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const message =
      code === 'ENOENT'
        ? 'no such folder'
        : code === 'ENOTDIR'
          ? 'not a folder'
          : `cannot be read (${code ?? String(error)})`;
    const fix = 'set data.root; it is relative to the recipe’s folder, or with --set to the current directory';
    throw new FinetuneError({ code: 'E_FOLDER_ROOT', message, where: { file: dir }, fix }, { cause: error });
  });
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of entries) {
    if (isHidden(entry.name)) continue;
    if (entry.name.includes('\ufffd')) await assertName(dir, entry.name);
    const target = entry.isSymbolicLink() ? await stat(join(dir, entry.name)).catch(() => entry) : entry;
    if (target.isDirectory()) folders.push(entry.name);
    else files.push(entry.name);
  }
  return { folders: folders.sort(), files: files.sort() };
}

/** Throws E_ENCODING for an entry whose name is not UTF-8: it cannot be opened by its name, and two such classes would
 *  get one name. */
async function assertName(dir: string, name: string): Promise<void> {
  const there = await lstat(join(dir, name)).catch(() => undefined);
  if (there) return;
  throw new FinetuneError({
    code: 'E_ENCODING',
    message: `the name "${name}" is not UTF-8`,
    where: { file: dir },
    fix: 'rename it, for example with convmv',
  });
}

/** The files of a folder and its subfolders. A link to a folder that is being listed is not followed: its images would
 *  be counted again and again. */
async function filesUnder(dir: string, above: readonly string[]): Promise<string[]> {
  const real = await realpath(dir);
  if (above.includes(real)) return [];
  const { folders, files } = await look(dir);
  const inside = await Promise.all(folders.map((folder) => filesUnder(join(dir, folder), [...above, real])));
  return [...files.map((file) => join(dir, file)), ...inside.flat()];
}

const isImage = (file: string): boolean => IMAGE_EXTENSION.test(file);
