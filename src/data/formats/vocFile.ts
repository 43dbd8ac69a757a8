import { readFile } from 'node:fs/promises';
import { parseXml, XmlElement, XmlError } from '@rgrove/parse-xml';
import type { Problem, Where } from '../../errors.js';
import type { Findings } from '../findings.js';

export interface VocObject {
  readonly name: string;
  readonly difficult: boolean;
  /** x, y, width, height: 0-based pixels with fractional edges, as COCO has them; not clipped. */
  readonly bbox: readonly [number, number, number, number];
  /** The problem `message` says of this object, located at its box. */
  readonly problem: (message: string) => Problem;
}

export interface VocFile {
  /** What <size> says; undefined where it says nothing usable. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly objects: readonly VocObject[];
}

/** Read one Pascal VOC annotation. Its corners are 1-based and inclusive (VOC devkit), so a box spans xmin−1 … xmax.
 *  <path>, <folder> and <filename> are ignored: they name places on the annotator's disk. Problems go to `findings`,
 *  E_VOC_BOX (no area) too unless `invalidBoxes` is drop; undefined if the file is not XML or no annotation. */
export async function readVocFile(
  file: string,
  invalidBoxes: 'error' | 'drop',
  findings: Findings,
): Promise<VocFile | undefined> {
  const text = await readFile(file, 'utf8');
  const locate = (offset: number): Where => {
    const before = text.slice(0, offset).split('\n');
    return { file, line: before.length, column: before.at(-1)!.length + 1 };
  };
  const root = parse(text, file, findings);
  if (!root) return undefined;

  const objects: VocObject[] = [];
  for (const [index, element] of childrenOf(root, 'object').entries()) {
    const name = textOf(element, 'name');
    const subject = `object ${index + 1}${name ? ` "${name}"` : ''}`;
    const box = childrenOf(element, 'bndbox')[0];
    const malformed = (message: string) =>
      findings.problem({ code: 'E_VOC_OBJECT', message, where: locate((box ?? element).start) });
    if (!name || !box) {
      malformed(`${subject} has no ${name ? '<bndbox>' : '<name>'}`);
      continue;
    }
    const corners = cornerNames.map((corner) => Number(textOf(box, corner) ?? NaN));
    const [xmin, ymin, xmax, ymax] = corners as [number, number, number, number];
    const unusable = cornerNames.filter((_, i) => !Number.isFinite(corners[i]));
    if (unusable.length > 0) {
      malformed(`${unusable.map((corner) => `<${corner}>`).join(', ')} of ${subject} is not a number`);
      continue;
    }
    const problem = (message: string): Problem => ({
      code: 'E_VOC_BOX',
      message: `${message} in ${subject}`,
      where: locate(box.start),
      fix: 'fix the file, or set data.invalidBoxes: drop (the report counts them)',
    });
    const flat = [
      ...(xmax <= xmin ? [`xmax (${xmax}) <= xmin (${xmin})`] : []),
      ...(ymax <= ymin ? [`ymax (${ymax}) <= ymin (${ymin})`] : []),
    ];
    if (flat.length > 0) {
      findings.report(invalidBoxes, 'box without area', () => problem(flat.join(' and ')));
      continue;
    }
    objects.push({
      name,
      difficult: textOf(element, 'difficult') === '1',
      bbox: [xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1],
      problem,
    });
  }

  const size = childrenOf(root, 'size')[0];
  const width = size && Number(textOf(size, 'width'));
  const height = size && Number(textOf(size, 'height'));
  return { size: width && height && width > 0 && height > 0 ? { width, height } : undefined, objects };
}

const cornerNames = ['xmin', 'ymin', 'xmax', 'ymax'] as const;

function parse(text: string, file: string, findings: Findings): XmlElement | undefined {
  try {
    const { root } = parseXml(text, { includeOffsets: true });
    if (root?.name === 'annotation') return root;
    findings.problem({
      code: 'E_VOC_XML',
      message: `the root is <${root?.name ?? ''}>, not <annotation>`,
      where: { file },
    });
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const message = `not XML: ${error.message.split('\n')[0]!.replace(/ \(line \d+, column \d+\)/, '')}`;
    findings.problem({ code: 'E_VOC_XML', message, where: { file, line: error.line, column: error.column } });
  }
  return undefined;
}

const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child): child is XmlElement => child instanceof XmlElement && child.name === name);

const textOf = (element: XmlElement, name: string): string | undefined =>
  childrenOf(element, name)[0]?.text.trim() || undefined;
