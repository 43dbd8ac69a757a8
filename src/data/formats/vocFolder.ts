import { basename, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import type { Findings } from '../findings.js';
import type { DropPolicies, ReadPart } from '../rawDataset.js';
import { listFiles } from './detect/listing.js';
import { buildRecords } from './records/buildRecords.js';
import { isOfOthers } from './records/innerPlaces.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import type { RecordSource } from './records/recordFormat.js';
import { readVocFile } from './vocFile.js';

/** Maximum number of open files while annotations are read. */
const OPEN_FILES = 16;

/** Reads the XML files of folders and of those below them, wherever the images are: in the same folder, in a usual one, or
 *  anywhere below the root by the XML file's own name. The <filename> that the XML states comes second, since it is wrong
 *  more often. Problems go to `findings`. */
export async function readVocFolder(
  {
    root: folder,
    places,
    others,
    part,
    invalidBoxes,
    brokenImages,
  }: Required<DropPolicies> & Pick<RecordSource, 'places' | 'others' | 'part' | 'root'>,
  findings: Findings,
): Promise<ReadPart> {
  const root = resolve(folder);
  const files: string[] = [];
  for (const place of places.map((one) => resolve(root, one))) {
    const isTheirs = isOfOthers(place, others.map((other) => resolve(root, other))); // prettier-ignore
    const found = (await listFiles(place)).files.filter((file) => /\.xml$/i.test(file));
    const own = found.map((file) => join(place, file)).filter((file) => !isTheirs(file));
    if (own.length === 0)
      findings.problem({ code: 'E_VOC_MISSING', message: 'the folder has no .xml file', where: { file: place } });
    files.push(...own);
  }
  const limit = pLimit(OPEN_FILES);
  const read = async (file: string): Promise<ImageRecord | undefined> => {
    const annotation = await readVocFile(file, invalidBoxes, findings);
    if (!annotation) return undefined;
    const stem = basename(file).replace(/\.xml$/i, '');
    const { size, sizeAt, objects, fileName } = annotation;
    if (!size)
      findings.count("size missing, taken from the image's header", () => ({ message: 'no <size>', where: { file } }));
    const records = objects.map(({ name, difficult, bbox: [x, y, w, h], problem }): ObjectRecord => {
      const { where = { file } } = problem('');
      const points = [x, y, x + w, y + h];
      return {
        category: name,
        points,
        form: 'box',
        unit: 'pixels',
        mark: difficult ? 'ignore' : undefined,
        where,
        subject: `object "${name}"`,
      };
    });
    return {
      name: stem,
      isStem: true,
      otherNames: fileName === undefined || fileName === stem ? [] : [fileName],
      size,
      sizeAt,
      objects: records,
      where: { file },
    };
  };
  const images = (await Promise.all(files.map((file) => limit(read, file)))).filter((record) => record !== undefined);
  return buildRecords(
    { images },
    { root, part, images: undefined, invalidBoxes, brokenImages, findings, place: resolve(root, places[0]!) },
  );
}
