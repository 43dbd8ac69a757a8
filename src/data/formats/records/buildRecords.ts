import { relative, sep } from 'node:path';
import { FinetuneError } from '../../../errors.js';
import { numberCategories } from '../../categories.js';
import type { Extent } from '../../image/frame.js';
import { knownHeader, type ImageHeader } from '../../image/image.js';
import { settleSize } from '../../image/statedSize.js';
import type { RawImage, RawObject, ReadPart } from '../../rawDataset.js';
import { mapFiles } from '../../scan/mapFiles.js';
import { EXCHANGED, orderCorners } from '../orderCorners.js';
import { locateImages, type LocateOptions } from './locateImages.js';
import type { ImageRecord, ObjectRecord, PartRecords } from './record.js';

export interface BuildOptions extends LocateOptions {
  readonly invalidBoxes: 'error' | 'drop';
  /** The file or folder of the part, for errors. */
  readonly place: string;
}

export const DROP_HINT = 'fix the file, or set data.invalidBoxes: drop (the report counts them)';

/** Finds the images of the records, measures them, and turns the objects into boxes in pixels. Problems go to
 *  `findings`: E_IMAGE_MISSING, _AMBIGUOUS, _DECODE, _SIZE, E_LABEL_ROW for an image that is described twice, and
 *  E_LABEL_BOX. */
export async function buildRecords({ images, categories }: PartRecords, options: BuildOptions): Promise<ReadPart> {
  const { root, part, place } = options;
  const located = await locateImages(images, options);
  const firsts = new Map<string, ImageRecord>();
  let id = 0;
  const build = (record: ImageRecord, file: string, header: ImageHeader): RawImage | undefined => {
    const { name, size: said, where, sizeAt = where } = record;
    const objects = record.objects.flatMap((object) => rawObject(object, said ?? header, options) ?? []);
    const stated = { said, header, objects, where: sizeAt, name: `"${name}"` };
    const settled = settleSize(stated, options.brokenImages, options.findings);
    if (!settled) return undefined;
    const fileName = nameBelow(root, file) ?? name;
    return { imageId: fileName, file, fileName, ...settled.extent, objects: settled.objects };
  };
  const built = await mapFiles(images, (record): RawImage | undefined | Promise<RawImage | undefined> => {
    const file = located.get(record);
    if (file === undefined) return undefined;
    const before = firsts.get(file);
    if (before) {
      reportTwice(record, before, options);
      return undefined;
    }
    firsts.set(file, record);
    const header = knownHeader(file);
    if (!(header instanceof Promise)) return build(record, file, header);
    return measured(header, options).then((one) => one && build(record, file, one));
  });
  const raw = built.flatMap((image) =>
    image ? [{ ...image, objects: image.objects.map((object) => ({ ...object, id: ++id })) }] : [],
  );
  const used = new Set<string>();
  for (const { objects } of images) for (const { category } of objects) used.add(category);
  return {
    name: part,
    categories: categories ?? numberCategories([...used].sort()),
    hasIds: categories !== undefined,
    images: raw,
    place,
  };
}

/** The path of a file below a folder; undefined if it is elsewhere. */
function nameBelow(root: string, file: string): string | undefined {
  const path = relative(root, file).split(sep).join('/');
  return path.startsWith('../') || path.startsWith('/') ? undefined : path;
}

function reportTwice(record: ImageRecord, before: ImageRecord, { findings }: BuildOptions): void {
  const note = { message: `"${record.name}" again`, where: record.where };
  const key = ({ objects }: ImageRecord): string =>
    JSON.stringify(objects.map(({ category, points }) => [category, points]));
  if (key(record) === key(before)) findings.count('image listed twice', () => note);
  else {
    const message = `the image of "${record.name}" has other labels here than ${before.where.line === undefined ? 'before' : `on line ${before.where.line}`}`;
    findings.problem({ code: 'E_LABEL_ROW', message, where: record.where });
  }
}

/** The header of an image; undefined if it cannot be read. */
async function measured(
  header: Promise<ImageHeader>,
  { brokenImages, findings }: Pick<BuildOptions, 'brokenImages' | 'findings'>,
): Promise<ImageHeader | undefined> {
  try {
    return await header;
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    findings.report(brokenImages, 'image cannot be decoded', () => error.problems[0]!);
    return undefined;
  }
}

/** The object as a box in pixels; undefined if it has no area. */
function rawObject(
  { category, points, form, unit, rotation = 0, mark, where, subject }: ObjectRecord,
  { width, height }: Extent,
  { invalidBoxes, findings }: BuildOptions,
): RawObject | undefined {
  const problem = (message: string) =>
    ({ code: 'E_LABEL_BOX', message: `${subject}: ${message}`, where, fix: DROP_HINT }) as const;
  const pixels = unit === 'pixels' ? points : points.map((value, i) => value * (i % 2 === 0 ? width : height));
  const isUpright = form === 'box' && rotation === 0;
  const written = isUpright
    ? (pixels as [number, number, number, number])
    : boundsOf(form === 'box' ? turn(cornersOf(pixels), rotation) : pixels);
  const [x1, y1, x2, y2] = findings.mends ? orderCorners(written, () => problem(EXCHANGED), findings) : written;
  const [w, h] = [x2 - x1, y2 - y1];
  if (!(w > 0 && h > 0)) {
    const corners = [x1, y1, x2, y2].map((value) => Number(value.toFixed(2))).join(', ');
    findings.report(invalidBoxes, 'box without area', () => problem(`the box ${corners} has no area`));
    return undefined;
  }
  return {
    id: 0,
    category,
    bbox: [x1, y1, w, h],
    area: w * h,
    iscrowd: mark === 'crowd' ? 1 : 0,
    ...(mark === 'ignore' && { ignore: 1 as const }),
    problem,
  };
}

const cornersOf = ([x1, y1, x2, y2]: readonly number[]): number[] => [x1!, y1!, x2!, y1!, x2!, y2!, x1!, y2!];

/** Points rotated clockwise about the first one. */
function turn(points: readonly number[], degrees: number): number[] {
  const [x0, y0] = points as [number, number];
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return points.map((_, i) => {
    const [dx, dy] = [points[i - (i % 2)]! - x0, points[i - (i % 2) + 1]! - y0];
    return i % 2 === 0 ? x0 + dx * cos - dy * sin : y0 + dx * sin + dy * cos;
  });
}

/** Left, top, right and bottom of points. */
function boundsOf(points: readonly number[]): [number, number, number, number] {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i + 1 < points.length; i += 2) {
    [x1, x2] = [Math.min(x1, points[i]!), Math.max(x2, points[i]!)];
    [y1, y2] = [Math.min(y1, points[i + 1]!), Math.max(y2, points[i + 1]!)];
  }
  return [x1, y1, x2, y2];
}
