import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FinetuneError, type Where } from '../../../errors.js';
import { findImages } from '../../image/findImages.js';
import { IMAGE_EXTENSION } from '../../image/imageFiles.js';
import { reportImages } from '../../image/reportImages.js';
import { noteFolder } from '../../scan/scanCache.js';
import { listFiles } from '../detect/listing.js';
import { readLabelText } from '../records/readLabels.js';
import { isOfOthers } from '../records/innerPlaces.js';
import type { RecordSource } from '../records/recordFormat.js';
import { placeReadings } from './places.js';

/** An image of a part, by its absolute path, and the line of a list that names it. */
export interface YoloImage {
  readonly file: string;
  readonly where: Where;
}

/** The images of a part: those in its folders, and those that its lists name. Throws E_LABEL_PART if a place does not
 *  exist. */
export async function listImages(source: RecordSource, bases: readonly string[]): Promise<YoloImage[]> {
  const images: YoloImage[] = [];
  const others = await Promise.all(source.others.map((other) => findPlace(other, bases)));
  const foldersOfOthers = others.flatMap((other) => (other?.isFolder ? [other.path] : []));
  for (const written of source.places) {
    const place = await resolvePlace(written, bases);
    const isTheirs = isOfOthers(place.path, foldersOfOthers);
    if (place.isFolder) {
      const all = (await listFiles(place.path)).images.map((image) => join(place.path, image));
      images.push(...all.filter((image) => !isTheirs(image)).map(imageAt));
    } else if (IMAGE_EXTENSION.test(place.path)) images.push(imageAt(place.path));
    else images.push(...(await imagesOfList(place.path, source, bases)));
  }
  return [...new Map(images.map((image) => [image.file, image])).values()];
}

const imageAt = (file: string): YoloImage => ({ file, where: { file } });

interface FoundPlace {
  readonly path: string;
  readonly isFolder: boolean;
}

/** A folder or file of data.yaml: relative to one of the bases, in one of the ways to read it; undefined if there is none. */
async function findPlace(written: string, bases: readonly string[]): Promise<FoundPlace | undefined> {
  const readings = placeReadings(written.replace(/[\\/]\*(?:\.\w+)?$/, ''));
  for (const reading of readings) {
    for (const base of bases) {
      const path = reading.startsWith('/') ? reading : join(base, reading);
      noteFolder(path);
      const entry = await stat(path).catch(() => undefined);
      if (entry) return { path, isFolder: entry.isDirectory() };
    }
  }
  return undefined;
}

async function resolvePlace(written: string, bases: readonly string[]): Promise<FoundPlace> {
  const found = await findPlace(written, bases);
  if (found) return found;
  throw new FinetuneError({
    code: 'E_LABEL_PART',
    message: `there is no "${written}" in ${bases[0]!}`,
    where: { file: bases[0]! },
    fix: 'correct the path in data.yaml, or name the folder of the images in data.train and data.val',
  });
}

async function imagesOfList(
  list: string,
  { root, findings }: RecordSource,
  bases: readonly string[],
): Promise<YoloImage[]> {
  const lines = (await readLabelText(list)).split(/\r\n|[\n\r]/);
  const wheres = new Map<string, Where>();
  lines.forEach((line, index) => {
    const name = line.trim();
    if (name !== '' && !wheres.has(name)) wheres.set(name, { file: list, line: index + 1 });
  });
  const found = await findImages(wheres.keys(), { folder: dirname(list), others: [...new Set([root, ...bases])] });
  const whereOf = (name: string): Where => wheres.get(name)!;
  await reportImages(found, { folder: dirname(list), root, brokenImages: 'error', whereOf }, findings);
  return [...found].flatMap(([name, { file }]) => (file === undefined ? [] : [{ file, where: whereOf(name) }]));
}
