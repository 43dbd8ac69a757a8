import { parseXml, XmlElement } from '@rgrove/parse-xml';
import { FinetuneError } from '../../../errors.js';
import type { Fields } from './icdarLine.js';
import { describeFields, isPolygon, UNREADABLE, type Layout } from './layout.js';

/** What stands before every text in CTW1500's ground truth for evaluation. */
const PREFIX = '####';

/** SCUT-CTW1500 (github.com/Yuliang-Liu/Curve-Text-Detector, data/README.md): the text files for its evaluation, and the
 *  XML files of its training part. */
export const ctw1500: Layout = {
  form: 'x1,y1,…,xn,yn,####text, or the XML files of the training part',
  read: (fields) => {
    const { numbers, rest } = fields;
    const text = rest(numbers.length).trim();
    if (!isPolygon(numbers.length) || !text.startsWith(PREFIX))
      return `expected an even number of coordinates, 8 or more, then #### and the text; found ${describeFields(fields)}`;
    const transcription = text.slice(PREFIX.length);
    return { isRectangle: false, points: numbers, transcription, dontCare: transcription === UNREADABLE };
  },
  isMarked: () => true,
};

/** Pixels by which an offset may lie outside its rectangle. */
const TOLERANCE = 3;

/** Reads the older text files of CTW1500's training part: a rectangle, and 14 points counted from its top left. */
export function readOffsets(fields: Fields): ReturnType<Layout['read']> {
  const { numbers, hasText } = fields;
  if (numbers.length !== 32 || hasText) return `expected 32 numbers and no text, found ${describeFields(fields)}`;
  const [left, top, right, bottom] = numbers as [number, number, number, number];
  const size = [right - left, bottom - top] as const;
  const offsets = numbers.slice(4);
  const isInside = offsets.every((offset, i) => offset >= -TOLERANCE && offset <= size[i % 2]! + TOLERANCE);
  if (!isInside) return 'expected points counted from the top left of their rectangle, found one outside it';
  const points = offsets.map((offset, i) => offset + (i % 2 === 0 ? left : top));
  return { isRectangle: false, points, transcription: '', dontCare: false };
}

/** The lines of an XML file of CTW1500's training part in the form of its evaluation; each stands, where it can, in the
 *  line of its box. Throws E_ICDAR_FILE. */
export function linesOfXml(text: string, file: string): string[] {
  const lines: string[] = [];
  for (const box of boxesOf(text, file)) {
    const textOf = (name: string) => childrenOf(box, name)[0]?.text.trim() ?? '';
    const line = `${textOf('segs')},${PREFIX}${textOf('label').replace(/\s+/g, ' ')}`;
    const at = text.slice(0, box.start).split('\n').length - 1;
    lines[Math.max(at, lines.length)] = line;
  }
  return Array.from(lines, (line: string | undefined) => line ?? ''); // boxes leave gaps
}

function boxesOf(text: string, file: string): XmlElement[] {
  try {
    const { root } = parseXml(text, { includeOffsets: true });
    return root ? onlyChildren(root, 'image', file).flatMap((image) => onlyChildren(image, 'box', file)) : [];
  } catch (error) {
    if (error instanceof FinetuneError) throw error;
    const message = `cannot be read as XML: ${(error as Error).message.split('\n')[0]!}`;
    throw new FinetuneError({ code: 'E_ICDAR_FILE', message, where: { file } }, { cause: error });
  }
}

const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child): child is XmlElement => child instanceof XmlElement && child.name === name);

/** The children of an element, which all have this name. Throws E_ICDAR_FILE for another one. */
function onlyChildren(element: XmlElement, name: string, file: string): XmlElement[] {
  const other = element.children.find((child) => child instanceof XmlElement && child.name !== name);
  if (!(other instanceof XmlElement)) return childrenOf(element, name);
  const message = `<${element.name}> has a <${other.name}>, where only <${name}> can be`;
  throw new FinetuneError({ code: 'E_ICDAR_FILE', message, where: { file } });
}
