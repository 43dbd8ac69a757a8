import { basename, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import type { Findings } from '../findings.js';
import type { DropPolicies, ReadPart } from '../rawDataset.js';
import type { PartName } from '../sample.js';
import { listFiles } from './detect/listing.js';
import { buildRecords } from './records/buildRecords.js';
import type { ImageRecord, ObjectRecord } from './records/record.js';
import { readVocFile } from './vocFile.js';

/** Maximum number of open files while annotations are read. */
const OPEN_FILES = 16;

/** Reads the XML files of a folder and of those below it, wherever the images are: in the same folder, in a usual one, or
 *  anywhere below the root by the XML file's own name. The <filename> that the XML states comes second, since it is wrong
 *  more often. Problems go to `findings`. */
export async function readVocFolder(
  {
    root: folder,
    place,
    part,
    invalidBoxes,
    brokenImages,
  }: Required<DropPolicies> & { root: string; place: string; part: PartName },
  findings: Findings,
): Promise<ReadPart> {
  const root = resolve(folder);
  const at = resolve(root, place);
  const files = (await listFiles(at)).files.filter((file) => /\.xml$/i.test(file));
  if (files.length === 0)
    findings.problem({ code: 'E_VOC_MISSING', message: 'the folder has no .xml file', where: { file: at } });
  const limit = pLimit(OPEN_FILES);
  const read = async (path: string): Promise<ImageRecord | undefined> => {
    const file = join(at, path);
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
  return buildRecords({ images }, { root, part, images: undefined, invalidBoxes, brokenImages, findings, place: at });
}
