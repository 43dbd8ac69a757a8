import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FinetuneError, type Where } from '../../../errors.js';
import { findImages } from '../../image/findImages.js';
import { IMAGE_EXTENSION } from '../../image/imageFiles.js';
import { reportImages } from '../../image/reportImages.js';
import { noteFolder } from '../../scan/scanCache.js';
import { listFiles } from '../detect/listing.js';
import { readLabelText } from '../records/readLabels.js';
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
  for (const written of source.places) {
    const place = await resolvePlace(written, bases);
    if (place.isFolder)
      for (const image of (await listFiles(place.path)).images) images.push(imageAt(join(place.path, image)));
    else if (IMAGE_EXTENSION.test(place.path)) images.push(imageAt(place.path));
    else images.push(...(await imagesOfList(place.path, source, bases)));
  }
  return [...new Map(images.map((image) => [image.file, image])).values()];
}

const imageAt = (file: string): YoloImage => ({ file, where: { file } });

/** A folder or file of data.yaml: relative to one of the bases, in one of the ways to read it. */
async function resolvePlace(
  written: string,
  bases: readonly string[],
): Promise<{ readonly path: string; readonly isFolder: boolean }> {
  const readings = placeReadings(written.replace(/[\\/]\*(?:\.\w+)?$/, ''));
  for (const reading of readings) {
    for (const base of bases) {
      const path = reading.startsWith('/') ? reading : join(base, reading);
      noteFolder(path);
      const entry = await stat(path).catch(() => undefined);
      if (entry) return { path, isFolder: entry.isDirectory() };
    }
  }
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
