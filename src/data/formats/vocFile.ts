import type { Problem, Where } from '../../errors.js';
import type { Findings } from '../findings.js';
import { EXCHANGED, orderCorners } from './orderCorners.js';
import { cornerNames, readVocXml, type VocXmlObject } from './vocXml.js';
import { toNumber } from './textFile.js';

export interface VocObject {
  readonly name: string;
  readonly difficult: boolean;
  /** x, y, width, height: 0-based pixels with fractional edges, as COCO has them; not clipped. */
  readonly bbox: readonly [number, number, number, number];
  /** Makes a problem with this message, located at the object's box. */
  readonly problem: (message: string) => Problem;
}

export interface VocFile {
  /** Width and height of <size>; undefined where they are missing or unusable. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  /** The place of <size>, or the file. */
  readonly sizeAt: Where;
  readonly objects: readonly VocObject[];
  /** The name of the image, without the folders of the annotator's disk. */
  readonly fileName: string | undefined;
}

/** Read one Pascal VOC annotation to learn from. Its corners are 1-based and inclusive (VOC devkit), so a box spans
 *  xmin−1 … xmax. Problems go to `findings`, E_VOC_BOX (no area) too unless `invalidBoxes` is drop. Returns undefined
 *  if the file is not text, not XML or not an annotation. */
export async function readVocFile(
  file: string,
  invalidBoxes: 'error' | 'drop',
  findings: Findings,
): Promise<VocFile | undefined> {
  const annotation = await readVocXml(file, findings);
  if (!annotation) return undefined;
  const [width, height] = [toNumber(annotation.width ?? '') ?? 0, toNumber(annotation.height ?? '') ?? 0];
  return {
    size: width > 0 && height > 0 ? { width, height } : undefined,
    sizeAt: annotation.sizeAt,
    fileName: annotation.fileName,
    objects: annotation.objects.flatMap((object) => checkObject(object, invalidBoxes, findings) ?? []),
  };
}

function checkObject(
  { name, difficult, corners: texts, subject, locate }: VocXmlObject,
  invalidBoxes: 'error' | 'drop',
  findings: Findings,
): VocObject | undefined {
  const malformed = (message: string) => findings.problem({ code: 'E_VOC_OBJECT', message, where: locate() });
  if (!name || !texts) {
    malformed(`${subject} has no ${name ? '<bndbox>' : '<name>'}`);
    return undefined;
  }
  const corners = texts.map((text) => toNumber(text ?? '') ?? NaN);
  const unusable = cornerNames.filter((_, i) => !Number.isFinite(corners[i]));
  if (unusable.length > 0) {
    malformed(`${unusable.map((corner) => `<${corner}>`).join(', ')} of ${subject} is not a number`);
    return undefined;
  }
  const problem = (message: string): Problem => ({
    code: 'E_VOC_BOX',
    message: `${message} in ${subject}`,
    where: locate(),
    fix: 'fix the file, or set data.invalidBoxes: drop (the report counts them)',
  });
  const written = corners as [number, number, number, number];
  const [xmin, ymin, xmax, ymax] = findings.mends ? orderCorners(written, () => problem(EXCHANGED), findings) : written;
  const flat = [
    ...(xmax <= xmin ? [`xmax (${xmax}) <= xmin (${xmin})`] : []),
    ...(ymax <= ymin ? [`ymax (${ymax}) <= ymin (${ymin})`] : []),
  ];
  if (flat.length > 0) {
    findings.report(invalidBoxes, 'box without area', () => problem(flat.join(' and ')));
    return undefined;
  }
  return { name, difficult, bbox: [xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1], problem };
}
