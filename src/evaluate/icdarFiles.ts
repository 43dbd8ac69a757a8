import { createFindings, type Findings } from '../data/findings.js';
import { readTextFiles, type TextFile } from '../data/formats/text/icdarArchive.js';
import { readTruth, type Truth } from '../data/formats/text/icdarTruth.js';
import { pairNames } from '../data/formats/text/imageNames.js';
import type { Outline, Word } from '../data/formats/text/layout.js';
import type { LayoutName } from '../data/formats/text/layouts.js';
import { FinetuneError, type Problem } from '../errors.js';
import { crossesItself } from '../geometry/crosses.js';
import { readDetections, type ResultLayout, type TextDetection } from './icdarDetections.js';

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

export interface IcdarLayouts {
  /** Layout of the ground truth. `auto` reads what the official scripts accept as they do. */
  readonly gtLayout?: LayoutName | 'auto';
  readonly dtLayout?: ResultLayout;
}

/** Read ground truth and results of a scene-text challenge, each a folder or a zip of text files.
 *  Throws all problems at once: E_ICDAR_FILE, _ZIP, _LIMIT, _NAME (two files of one image), _SAMPLE (a result of an
 *  image that has no ground truth), _LAYOUT, _LINE, _BOX, E_ENCODING. */
export async function readIcdar(
  truthPath: string,
  resultPath: string,
  { gtLayout = 'auto', dtLayout = 'auto' }: IcdarLayouts = {},
): Promise<TextData> {
  const findings = createFindings();
  const paired = pairFiles(await readTextFiles(truthPath), await readTextFiles(resultPath), findings);
  if (paired.length === 0) throw empty(truthPath);
  const options = { layout: gtLayout, transcriptions: true, option: '--gt-layout', official: true };
  const truth = readTruth(paired.map((image) => image.truth), options, findings); // prettier-ignore
  const detections = readDetections(paired.map((image) => image.results), dtLayout, findings); // prettier-ignore
  findings.throwIfAny();

  const images = paired.map(({ id }, i): TextImage => ({ id, words: truth.words[i]!, detections: detections[i]! }));
  const all = detections.flat();
  const confident = all.filter(({ confidence }) => confidence !== undefined).length;
  const missing = paired.filter(({ results }) => !results).length;
  const notes = [
    missing > 0 && `${missing} of ${paired.length} images have no result file: taken as no detections`,
    confident > 0 && confident < all.length && `only ${confident} of ${all.length} detections have a confidence: no AP`,
    gtLayout === 'auto' && layoutNote(truth),
    crossedNote('ground truth', truth.words.flat()),
    crossedNote('results', all),
    ...Object.entries(findings.dropped).map(([reason, count]) => `${count} ${reason}`),
  ].filter((note) => note !== false && note !== undefined);
  return { images, hasConfidences: confident > 0 && confident === all.length, notes };
}

/** Says how the ground truth is read, unless the official scripts leave no doubt. */
function layoutNote({ layout, inDoubt }: Truth): string | undefined {
  if (inDoubt) return `the ground truth is read as ${layout}, as the official script does; --gt-layout names another`;
  return layout === 'icdar2013' || layout === 'icdar2015' ? undefined : `the ground truth is read as ${layout}`;
}

function crossedNote(what: string, outlines: readonly Outline[]): string | undefined {
  const crossed = outlines.filter(({ isRectangle, points }) => !isRectangle && crossesItself(points)).length;
  if (crossed === 0) return undefined;
  return `${crossed} of ${outlines.length} outlines of the ${what} cross themselves: write the points in the order of the outline (top left, top right, bottom right, bottom left)`;
}

interface PairedFiles {
  readonly id: string;
  readonly truth: TextFile;
  readonly results: TextFile | undefined;
}

/** By image: `gt_img_12.txt`, `gt_12.txt`, `poly_gt_img12.txt` and `img_12.txt` are image 12, `res_…` likewise. */
function pairFiles(truth: readonly TextFile[], results: readonly TextFile[], findings: Findings): PairedFiles[] {
  const [gt, dt] = [byName(truth, findings), byName(results, findings)];
  const { pairs, left } = pairNames([...gt.keys()], [...dt.keys()]);
  for (const { name, like } of left) {
    const { file } = dt.get(name)!;
    if (like === undefined) findings.problem(strange(file, name));
    else findings.problem(sameImage(file, gt.get(like)!.file, 'belong to the same image, and another file does, too'));
  }
  for (const { name, rivals } of pairs)
    if (rivals.length > 0) {
      const other = gt.get(rivals[0]!) ?? dt.get(rivals[0]!)!;
      findings.problem(sameImage(gt.get(name)!.file, other.file, 'could belong to the same image'));
    }
  return pairs.map(({ name, id, partner }) => ({
    id,
    truth: gt.get(name)!,
    results: partner === undefined ? undefined : dt.get(partner)!,
  }));
}

function byName(files: readonly TextFile[], findings: Findings): Map<string, TextFile> {
  const known = new Map<string, TextFile>();
  for (const one of files) {
    const other = known.get(one.name);
    if (other) findings.problem(sameImage(one.file, other.file, 'have the same name'));
    else known.set(one.name, one);
  }
  return known;
}

const sameImage = (file: string, other: string, how: string): Problem => ({
  code: 'E_ICDAR_NAME',
  message: `this file and ${other} ${how}`,
  where: { file },
  fix: 'name results exactly as the ground truth: res_img_1.txt for gt_img_1.txt',
});

const strange = (file: string, name: string): Problem => ({
  code: 'E_ICDAR_SAMPLE',
  message: `there is no ground truth for "${name}"`,
  where: { file },
  fix: 'name results res_img_N.txt for gt_img_N.txt',
});

const empty = (path: string): FinetuneError =>
  new FinetuneError({
    code: 'E_ICDAR_FILE',
    message: 'the folder or zip has no .txt file',
    where: { file: path },
    fix: 'name the files gt_img_1.txt, gt_img_2.txt, …',
  });
