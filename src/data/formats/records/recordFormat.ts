import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import type { Findings } from '../../findings.js';
import type { PartName } from '../../sample.js';
import { boxFormat, type BoxData } from '../boxFormat.js';
import type { Detect } from '../detect/detected.js';
import { listFiles } from '../detect/listing.js';
import type { Format } from '../format.js';
import { buildRecords } from './buildRecords.js';
import { isOfOthers, otherPlaces } from './innerPlaces.js';
import type { PartRecords } from './record.js';

/** Folders and files of a part, relative to `root`. */
export type Place = string | readonly string[];

/** The layouts whose parts are folders, or files of labels. */
export type RecordFormatName =
  | 'yolo'
  | 'createml'
  | 'labelme'
  | 'labelstudio'
  | 'vott'
  | 'via'
  | 'datumaro'
  | 'cvat'
  | 'supervisely'
  | 'cloud'
  | 'kitti'
  | 'widerface'
  | 'dota'
  | 'visdrone'
  | 'mot'
  | 'bdd100k'
  | 'darwin'
  | 'labelbox'
  | 'keras-yolo'
  | 'vision-language'
  | 'box-csv'
  | 'huggingface'
  | 'webdataset';

/** Options of such a layout. */
export interface RecordData extends BoxData {
  readonly format: RecordFormatName;
  readonly root: string;
  /** What is left out is found by the names of folders and files. */
  readonly train?: Place | undefined;
  readonly val?: Place | undefined;
  readonly test?: Place | null | undefined;
  /** The folder to which the names of the images are relative. */
  readonly images?: string | undefined;
  /** The file that names the classes, for YOLO. */
  readonly names?: string | undefined;
}

/** What a layout reads a part from. */
export interface RecordSource {
  readonly root: string;
  readonly part: PartName;
  /** Folders and files, relative to `root`, as the options or the folder's own files write them. */
  readonly places: readonly string[];
  /** Those of the other parts: what one of them holds inside of a place of this part belongs to the other. */
  readonly others: readonly string[];
  readonly names: string | undefined;
  readonly invalidBoxes: 'error' | 'drop';
  readonly findings: Findings;
}

/** A layout of boxes whose files of labels give records of images. */
export const recordFormat = (
  format: RecordFormatName,
  detect: Detect,
  read: (source: RecordSource) => Promise<PartRecords>,
): Format<RecordData> =>
  boxFormat<RecordData>({
    readPart: async (data, part, findings, { invalidBoxes, brokenImages }) => {
      const root = resolve(data.root);
      const places = await placesOf(format, detect, data, part);
      const { names, images } = data;
      const others = otherPlaces(data, part);
      const records = await read({ root, part, places, others, names, invalidBoxes, findings });
      return buildRecords(records, {
        root,
        part,
        images,
        brokenImages,
        invalidBoxes,
        findings,
        place: join(root, places[0]!),
      });
    },
  });

/** The places of a part, relative to the root. Throws E_LABEL_PART if there is no such part. */
export async function placesOf(
  format: string,
  detect: Detect,
  data: Pick<RecordData, 'root' | PartName>,
  part: PartName,
): Promise<string[]> {
  const written = data[part] ?? (await detect(await listFiles(data.root)))?.parts[part];
  const places = (Array.isArray(written) ? written : [written]).filter((one) => typeof one === 'string');
  if (places.length === 0)
    throw new FinetuneError({
      code: 'E_LABEL_PART',
      message: `${data.root} has no ${{ train: 'training', val: 'validation', test: 'test' }[part]} part of the layout ${format}`,
      option: `data.${part}`,
      fix: `name its folder or file in data.${part}`,
    });
  return places;
}

/** The files of labels at the places of a part: the places themselves, and those of a folder that pass the test.
 *  Throws E_LABEL_FILE if there is none. */
export async function labelFiles(
  { places, others, root, part }: Pick<RecordSource, 'places' | 'others' | 'root' | 'part'>,
  isLabels: (path: string) => boolean,
): Promise<string[]> {
  const files: string[] = [];
  for (const written of places) {
    const place = resolve(root, written);
    const entry = await stat(place).catch(() => undefined);
    if (!entry)
      throw new FinetuneError({
        code: 'E_LABEL_PART',
        message: `there is no "${written}" in ${root}`,
        option: `data.${part}`,
        fix: `set data.${part} to a folder or file of it`,
      });
    if (!entry.isDirectory()) files.push(place);
    else {
      const isTheirs = isOfOthers(place, others.map((other) => resolve(root, other))); // prettier-ignore
      const found = (await listFiles(place)).files.filter(isLabels).map((file) => join(place, file));
      files.push(...found.filter((file) => !isTheirs(file)));
    }
  }
  if (files.length > 0) return [...new Set(files)].sort();
  const message = `there is no file of labels in ${places.join(', ')}`;
  throw new FinetuneError({ code: 'E_LABEL_FILE', message, where: { file: resolve(root, places[0] ?? '.') } });
}
