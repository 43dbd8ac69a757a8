import { join, resolve } from 'node:path';
import { readCocoFile } from './cocoFile.js';
import { createFindings } from './findings.js';
import { missingFiles } from './imageFiles.js';
import { buildDataset, selectCategories, type DropPolicies, type RawImage } from './rawDataset.js';
import type { Dataset } from './sample.js';

export interface CocoOptions extends DropPolicies {
  /** Path of instances_*.json. */
  readonly annotations: string;
  /** Folder that the file's `file_name`s count from. */
  readonly images: string;
  readonly name: string;
  /** Names to learn, in the order of the model's classes; without it all, as the file orders them. */
  readonly categories?: readonly string[];
}

/** Open one part of a COCO data set. Boxes become Xyxy pixels, clipped to the image; crowd regions (`iscrowd`) are
 *  ignored objects; images without objects are kept. Widths and heights are the file's; the loader holds them against
 *  the images. `toCoco()` has the file's own ids and unclipped boxes.
 *  Throws every problem of the file at once: E_COCO_FILE, _JSON, _LAYOUT, _CATEGORY, _IMAGE, _ANNOTATION, _BOX,
 *  E_IMAGE_MISSING, and E_DATA_CATEGORY for a name that the file does not have. */
export async function openCoco({
  annotations,
  images: imageDir,
  name,
  categories: wanted,
  invalidBoxes = 'error',
  brokenImages = 'error',
}: CocoOptions): Promise<Dataset> {
  const file = resolve(annotations);
  const dir = resolve(imageDir);
  const findings = createFindings();
  const { categories, images } = await readCocoFile(file, invalidBoxes, findings);

  const missing = await missingFiles(
    dir,
    images.map(({ fileName }) => fileName),
  );
  const raw: RawImage[] = [];
  for (const { id, fileName, width, height, objects } of images) {
    if (missing.has(fileName)) {
      findings.report(brokenImages, 'image missing', () => ({
        code: 'E_IMAGE_MISSING',
        message: `image ${id} of ${file} is not there`,
        where: { file: join(dir, fileName) },
        fix: 'check data.*.images, or set data.brokenImages: drop (the report counts them)',
      }));
    } else raw.push({ imageId: id, file: join(dir, fileName), fileName, width, height, objects });
  }
  findings.throwIfAny();

  const dataset = buildDataset(name, selectCategories(categories, wanted, file), raw, findings, { invalidBoxes });
  findings.throwIfAny();
  return dataset;
}
