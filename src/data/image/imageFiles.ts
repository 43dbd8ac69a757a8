import { readdir } from 'node:fs/promises';
import { noteFolder } from '../scan/scanCache.js';

/** Extensions of the files that are taken for images. */
export const IMAGE_EXTENSION = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|bmp)$/i;

/** Extensions of images that cannot be read. */
export const FOREIGN_EXTENSION = /\.(?:hei[cf]|jxl|jp2|svg|psd|ppm|pgm|cr[23]|nef|arw|dng|raf|orf|rw2|dcm)$/i;

/** Files and folders that file managers, notebooks and archivers leave behind. */
export const isHidden = (name: string): boolean => name.startsWith('.') || name === '__MACOSX' || name === '@eaDir';

/** Errors that mean that there is no folder of that name, and can be none. */
const NO_FOLDER = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ERR_INVALID_ARG_VALUE']);

/** The names of the entries of a folder; empty if there is no such folder. */
export async function listFolder(dir: string): Promise<Set<string>> {
  noteFolder(dir);
  try {
    return new Set(await readdir(dir));
  } catch (error) {
    if (NO_FOLDER.has((error as NodeJS.ErrnoException).code ?? '')) return new Set();
    throw error;
  }
}
