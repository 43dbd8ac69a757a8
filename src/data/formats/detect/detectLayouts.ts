import { join } from 'node:path';
import { FOREIGN_EXTENSION } from '../../image/imageFiles.js';
import type { Kind } from '../../sample.js';
import { detectBdd } from '../bdd.js';
import { detectCloud } from '../cloud.js';
import { detectCreateMl } from '../createMl.js';
import { detectCvat } from '../cvat.js';
import { detectDarwin } from '../darwin.js';
import { detectDatumaro } from '../datumaro.js';
import { detectDota } from '../dota.js';
import { detectHuggingFace, detectHuggingFaceClasses } from '../huggingFace/detect.js';
import { detectKerasYolo } from '../kerasYolo.js';
import { detectKitti } from '../kitti.js';
import { detectLabelbox } from '../labelbox.js';
import { detectLabelme } from '../labelme.js';
import { detectLabelStudio, detectLabelStudioClasses } from '../labelStudio/detect.js';
import { detectMot } from '../mot.js';
import { detectSupervisely } from '../supervisely.js';
import { detectBoxTable, detectLabelTable } from '../table/detect.js';
import { detectVia } from '../via.js';
import { detectVisDrone } from '../visDrone.js';
import { detectVisionLanguage } from '../visionLanguage.js';
import { detectVott } from '../vott.js';
import { detectWebDataset, detectWebDatasetClasses } from '../webDataset/detect.js';
import { detectWiderFace } from '../widerFace.js';
import { detectYolo } from '../yolo/detect.js';
import { detectCoco } from './coco.js';
import type { Detect, Detected } from './detected.js';
import { detectImageFolder } from './folders.js';
import { detectIcdar } from './icdar.js';
import { listFiles, type Listing } from './listing.js';
import { detectSynthText } from './synthText.js';
import { detectVoc } from './voc.js';

/** How each layout recognises itself, by the name that `data.format` gives it. */
const detectors = {
  coco: { kind: 'boxes', detect: detectCoco },
  voc: { kind: 'boxes', detect: detectVoc },
  yolo: { kind: 'boxes', detect: detectYolo },
  createml: { kind: 'boxes', detect: detectCreateMl },
  labelme: { kind: 'boxes', detect: detectLabelme },
  labelstudio: { kind: 'boxes', detect: detectLabelStudio },
  vott: { kind: 'boxes', detect: detectVott },
  via: { kind: 'boxes', detect: detectVia },
  datumaro: { kind: 'boxes', detect: detectDatumaro },
  cvat: { kind: 'boxes', detect: detectCvat },
  supervisely: { kind: 'boxes', detect: detectSupervisely },
  cloud: { kind: 'boxes', detect: detectCloud },
  kitti: { kind: 'boxes', detect: detectKitti },
  widerface: { kind: 'boxes', detect: detectWiderFace },
  dota: { kind: 'boxes', detect: detectDota },
  visdrone: { kind: 'boxes', detect: detectVisDrone },
  mot: { kind: 'boxes', detect: detectMot },
  bdd100k: { kind: 'boxes', detect: detectBdd },
  darwin: { kind: 'boxes', detect: detectDarwin },
  labelbox: { kind: 'boxes', detect: detectLabelbox },
  'keras-yolo': { kind: 'boxes', detect: detectKerasYolo },
  'vision-language': { kind: 'boxes', detect: detectVisionLanguage },
  'box-csv': { kind: 'boxes', detect: detectBoxTable },
  huggingface: { kind: 'boxes', detect: detectHuggingFace },
  webdataset: { kind: 'boxes', detect: detectWebDataset },
  icdar: { kind: 'text', detect: detectIcdar },
  synthtext: { kind: 'text', detect: detectSynthText },
  'labelstudio-classes': { kind: 'wholeImage', detect: detectLabelStudioClasses },
  'huggingface-classes': { kind: 'wholeImage', detect: detectHuggingFaceClasses },
  'webdataset-classes': { kind: 'wholeImage', detect: detectWebDatasetClasses },
  csv: { kind: 'wholeImage', detect: detectLabelTable },
  imageFolder: { kind: 'wholeImage', detect: detectImageFolder },
} as const satisfies Record<string, { readonly kind: Kind; readonly detect: Detect }>;

/** Every layout that a folder may have, the most certain first; of a folder that holds nothing but another folder, those
 *  of that one. Throws E_FOLDER_ROOT if there is no such folder. */
export async function detectLayouts(folder: string): Promise<Detected[]> {
  const listing = await listFiles(folder);
  const found: Detected[] = [];
  const foreign = listing.files.filter((file) => FOREIGN_EXTENSION.test(file));
  for (const [format, { kind, detect }] of Object.entries(detectors)) {
    const guess = await detect(listing);
    if (!guess) continue;
    const { certainty, why, parts, options, unread = [] } = guess;
    found.push({
      format,
      kind,
      certainty,
      why,
      data: { format, root: listing.root, ...parts, ...options },
      parts: (['train', 'val', 'test'] as const).filter((part) => parts[part] !== undefined),
      unread,
      images: listing.images.length,
      foreign,
    });
  }
  const inner = onlyFolder(listing);
  if (inner !== undefined && (found[0]?.certainty ?? 0) < 0.6) {
    const below = await detectLayouts(join(listing.root, inner));
    if (below.length > 0) return below;
  }
  return found.sort((a, b) => b.certainty - a.certainty);
}

/** The folder that holds all files of a listing, as an archive that was unpacked has one. */
function onlyFolder({ files }: Listing): string | undefined {
  const tops = new Set(files.map((file) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '')));
  const [only] = tops;
  return tops.size === 1 && only !== '' ? only : undefined;
}
