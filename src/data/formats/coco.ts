import { dirname, resolve } from 'node:path';
import { readCocoFile } from './cocoFile.js';
import { FinetuneError } from '../../errors.js';
import { createFindings, type Findings } from '../findings.js';
import type { Extent } from '../image/frame.js';
import { readImageHeader, readImageSize } from '../image/image.js';
import { settleSize } from '../image/statedSize.js';
import { findImages } from '../image/findImages.js';
import { reportImages } from '../image/reportImages.js';
import type { DropPolicies, RawImage, RawObject, ReadPart } from '../rawDataset.js';
import { boxFormat, type BoxData } from './boxFormat.js';
import { buildPart } from './buildPart.js';
import { joinCoco, withoutRepeats } from './joinCoco.js';
import type { Dataset, PartName } from '../sample.js';

/** Paths of a part are relative to `root`. */
interface Place {
  readonly annotations: string;
  readonly images: string;
}

/** One annotation file, or several whose images are one part. */
type Places = Place | readonly Place[];

export interface CocoData extends BoxData {
  readonly format: 'coco';
  readonly root: string;
  readonly train: Places;
  /** Absent with `split`. */
  readonly val?: Places | undefined;
  readonly test?: Places | null | undefined;
}

/** COCO: a JSON file and a folder of images for each part, or several of them. */
export const coco = boxFormat<CocoData>({
  readPart: async (data, part, findings, policies) => {
    const { [part]: places, root } = data;
    if (!places) throw noPart(part);
    const read: ReadPart[] = [];
    for (const { annotations, images } of [places].flat()) {
      const place = { root, annotations: resolve(root, annotations), images: resolve(root, images), name: part };
      read.push(await readCoco({ ...place, ...policies }, findings));
    }
    return joinCoco(read, resolve(root), findings);
  },
});

const noPart = (part: PartName): FinetuneError =>
  new FinetuneError({
    code: 'E_FOLDER_PART',
    option: `data.${part}`,
    message: `nothing says where the part ${part} is`,
    fix: `set data.${part}, or data.split, which holds out images of the training part`,
  });

export interface CocoOptions extends DropPolicies {
  /** Path of the annotation file, instances_*.json. */
  readonly annotations: string;
  /** Folder to which the `file_name`s of the annotation file are relative. */
  readonly images: string;
  /** Folder of the data set; default: that of the images. */
  readonly root?: string;
  readonly name: string;
  /** Names to learn, in the order of the model's classes. Default: all, in the file's order. */
  readonly categories?: readonly string[];
}

/** Open one part of a COCO data set. Boxes become Xyxy pixels, clipped to the image; crowd regions (`iscrowd`) become
 *  ignored objects; images without objects are kept. Widths and heights are those of the file, or of the image if the
 *  file has none; the loader compares them with the images. `toCoco()` has the file's own ids and unclipped boxes.
 *  Throws every problem of the file at once: E_COCO_FILE, _JSON, _LAYOUT, _CATEGORY, _IMAGE, _ANNOTATION, _BOX,
 *  E_ENCODING, E_IMAGE_MISSING, E_IMAGE_AMBIGUOUS, and E_DATA_CATEGORY for a name that the file does not have. */
export async function openCoco({ categories, ...options }: CocoOptions): Promise<Dataset> {
  const findings = createFindings();
  const read = await readCoco(options, findings);
  findings.throwIfAny();
  const dataset = buildPart(read, [read], categories, findings, options);
  findings.throwIfAny();
  return dataset;
}

/** Read a part; problems go to `findings`. Throws E_COCO_FILE, _JSON, _LAYOUT or E_ENCODING if the file cannot be read
 *  at all. */
export async function readCoco(
  {
    annotations,
    images: imageDir,
    root = imageDir,
    name,
    invalidBoxes = 'error',
    brokenImages = 'error',
  }: Omit<CocoOptions, 'categories'>,
  findings: Findings,
): Promise<ReadPart> {
  const file = resolve(annotations);
  const folder = resolve(imageDir);
  const { categories, images } = await readCocoFile(file, invalidBoxes, findings);

  const others = [dirname(file), resolve(root)];
  const found = await findImages(
    images.map(({ fileName }) => fileName),
    { folder, others },
  );
  await reportImages(found, { folder, root: resolve(root), brokenImages, whereOf: () => ({ file }) }, findings);
  const raw: RawImage[] = [];
  for (const { id, fileName, size, objects } of images) {
    const image = found.get(fileName)!.file;
    if (image === undefined) continue;
    const isDoubtful = size && (findings.mends || objects.some((object) => leaves(object, size)));
    const header = isDoubtful ? await readImageHeader(image).catch(() => undefined) : undefined; // a broken file is told when it is loaded
    const settled = header
      ? settleSize({ said: size, header, objects, where: { file: image }, name: 'the image' }, brokenImages, findings)
      : { extent: size ?? (await headerSize(image, brokenImages, findings)), objects };
    if (settled?.extent) raw.push({ imageId: id, file: image, fileName, ...settled.extent, objects: settled.objects });
  }
  return { name, categories, hasIds: true, images: withoutRepeats(raw, file, findings), place: file };
}

/** Whether a box reaches beyond its image by more than a pixel: then the image probably has another size. Those of other
 *  images are compared when they are loaded. */
const leaves = ({ bbox: [x, y, w, h] }: RawObject, { width, height }: Extent): boolean =>
  x + w > width + 1 || y + h > height + 1;

/** Reads the size of an image that has none in the annotation file. */
async function headerSize(
  file: string,
  brokenImages: 'error' | 'drop',
  findings: Findings,
): Promise<Extent | undefined> {
  try {
    const extent = await readImageSize(file);
    findings.count("size missing, taken from the image's header", () => ({
      message: 'no width and height',
      where: { file },
    }));
    return extent;
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    findings.report(brokenImages, 'image cannot be decoded', () => error.problems[0]!);
    return undefined;
  }
}
