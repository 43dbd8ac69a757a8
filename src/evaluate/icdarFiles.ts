import { createFindings } from '../data/findings.js';
import { FinetuneError } from '../errors.js';
import { readTextFiles, type TextFile } from '../data/formats/text/icdarArchive.js';
import { readDetections, type TextDetection } from './icdarDetections.js';
import { readTruth, type Word } from '../data/formats/text/icdarTruth.js';

export interface TextImage {
  /** The part of the name that gt_ and res_ files share: 12 for gt_img_12.txt. */
  readonly id: string;
  /** In the file's order, on which matching depends. */
  readonly words: readonly Word[];
  readonly detections: readonly TextDetection[];
}

export interface TextData {
  readonly images: readonly TextImage[];
  /** Whether there is a detection, and every detection has a confidence. */
  readonly hasConfidences: boolean;
  /** Remarks for the reader, a sentence each. */
  readonly notes: readonly string[];
}

/** Read ground truth and results of a scene-text challenge, each a folder or a zip of text files.
 *  Throws all problems at once: E_ICDAR_FILE, _ZIP, _LIMIT, _NAME (two files of one image), _SAMPLE (a result of an
 *  image that has no ground truth), _LINE, _BOX, E_ENCODING. */
export async function readIcdar(truthPath: string, resultPath: string): Promise<TextData> {
  const findings = createFindings();
  const truthFiles = named(await readTextFiles(truthPath), 'gt', truthPath);
  const resultFiles = named(await readTextFiles(resultPath), 'res', resultPath);
  const { form, words } = readTruth([...truthFiles.values()], findings);

  for (const [id, { file }] of resultFiles) {
    if (truthFiles.has(id)) continue;
    findings.problem({
      code: 'E_ICDAR_SAMPLE',
      message: `there is no ground truth for image "${id}"`,
      where: { file },
      fix: 'name results res_img_N.txt for gt_img_N.txt',
    });
  }
  const images = [...truthFiles.keys()].map((id, i): TextImage => {
    const file = resultFiles.get(id);
    return { id, words: words[i]!, detections: file ? readDetections(file, findings) : [] };
  });
  findings.throwIfAny();

  const detections = images.flatMap((image) => image.detections);
  const confident = detections.filter(({ confidence }) => confidence !== undefined).length;
  const missing = truthFiles.size - resultFiles.size;
  const notes = [
    missing > 0 && `${missing} of ${truthFiles.size} images have no result file: taken as no detections`,
    confident > 0 &&
      confident < detections.length &&
      `only ${confident} of ${detections.length} detections have a confidence: no AP`,
    form === 'polygon' && 'the ground truth is read as polygons of any length',
    ...Object.entries(findings.dropped).map(([reason, count]) => `${count} ${reason}`),
  ].filter((note) => note !== false);
  return { images, hasConfidences: confident > 0 && confident === detections.length, notes };
}

/** By image: `gt_img_12.txt`, `gt_12.txt`, `poly_gt_img12.txt` and `img_12.txt` are image 12, `res_…` likewise. */
function named(files: readonly TextFile[], kind: 'gt' | 'res', path: string): Map<string, TextFile> {
  const byId = new Map<string, TextFile>();
  for (const file of files) {
    const stem = file.name.replace(/\.txt$/i, '').replace(/^(?:poly_)?(?:gt|res)_/i, '');
    const number = /^(?:img|image)?_?0*(\d+)$/i.exec(stem)?.[1];
    const id = number ?? stem;
    const other = byId.get(id);
    if (other) {
      const message = `this file and ${other.file} are both of image "${id}"`;
      throw new FinetuneError({ code: 'E_ICDAR_NAME', message, where: { file: file.file } });
    }
    byId.set(id, file);
  }
  if (byId.size === 0 && kind === 'gt') {
    const message = 'the folder or zip has no .txt file';
    throw new FinetuneError({
      code: 'E_ICDAR_FILE',
      message,
      where: { file: path },
      fix: 'name the files gt_img_1.txt, gt_img_2.txt, …',
    });
  }
  const numeric = (a: string, b: string) => Number(a) - Number(b) || (a < b ? -1 : 1);
  return new Map([...byId].sort(([a], [b]) => numeric(a, b)));
}
