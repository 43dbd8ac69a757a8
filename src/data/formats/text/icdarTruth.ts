import { FinetuneError, type Problem } from '../../../errors.js';
import type { Findings } from '../../findings.js';
import { readLines } from '../textFile.js';
import { chooseLayout, looksMarked, markQuestion, type LayoutOptions } from './chooseLayout.js';
import type { TextFile } from './icdarArchive.js';
import { cutFields, type Line } from './icdarLine.js';
import type { Outline, Word } from './layout.js';
import { layoutOf, type LayoutName } from './layouts.js';
import { beginsNative } from './totalText.js';

export interface TruthOptions extends LayoutOptions {
  /** `auto` is decided for all files together, since a single line can often be read in several ways. */
  readonly layout: LayoutName | 'auto';
  /** The files whose words are wanted (default: all of them). */
  readonly keep?: ((index: number) => boolean) | undefined;
}

export interface Truth {
  readonly layout: LayoutName;
  /** Whether another reading was possible, and the one of the official scripts was taken. */
  readonly inDoubt: boolean;
  /** The words of each file that is kept, in the files' order. */
  readonly words: Word[][];
}

/** Reads ground-truth files. Problems go to `findings`: E_ICDAR_LAYOUT, _LINE, _BOX, _LIMIT, E_ENCODING. */
export function readTruth(files: readonly TextFile[], options: TruthOptions, findings: Findings): Truth {
  const { keep = () => true, layout: asked } = options;
  const lines = files.map((one) => linesOf(one, findings));
  const kept = lines.filter((_, i) => keep(i));
  const choice = asked === 'auto' ? chooseLayout(lines.flat(), options) : { layout: asked, inDoubt: false };
  if ('problem' in choice) {
    findings.problem(choice.problem);
    return { layout: 'icdar2015', inDoubt: true, words: kept.map(() => []) };
  }
  const { layout } = choice;
  if (asked !== 'auto') checkNamed(layout, lines.flat(), options, findings);
  const words = kept.map((rows) => rows.flatMap((row) => readWord(row, layout, options, findings) ?? []));
  return { ...choice, words };
}

function readWord(row: Line, layout: LayoutName, options: TruthOptions, findings: Findings): Word | undefined {
  const { file, line } = row;
  const word = layoutOf(layout).read(row.fields, options);
  if (typeof word === 'string') {
    const problem = { code: ICDAR_LINE, message: `${word} (layout ${layout})`, where: { file, line } };
    findings.problem({
      ...problem,
      fix: `correct the line, or name the layout that the files have: ${options.option} …`,
    });
    return undefined;
  }
  if (options.transcriptions && looksMarked(word)) {
    if (options.layout === 'auto' && !options.official) {
      findings.problem(markQuestion(word, row, layout, options.option));
      return undefined;
    }
    const message = `"${word.transcription}" in ${file}:${line}`;
    findings.count('words that look like the don’t-care mark of another layout, taken as words', () => ({ message }));
  }
  return checkOutline(word, row, findings) ? word : undefined;
}

/** A layout that was named for files of another one would cut outlines without a word. */
function checkNamed(layout: LayoutName, lines: readonly Line[], options: TruthOptions, findings: Findings): void {
  const { read, isNatural = () => true, form } = layoutOf(layout);
  const odd = lines.filter(({ fields }) => typeof read(fields, options) !== 'string' && !isNatural(fields));
  if (odd.length <= lines.length / 2) return;
  const { file, line } = odd[0]!;
  const message = `${odd.length} of ${lines.length} lines do not look like ${layout} (${form}), this one for example`;
  findings.problem({ code: 'E_ICDAR_LAYOUT', message, where: { file, line }, fix: 'name the layout that they have' });
}

export const ICDAR_LINE: Problem['code'] = 'E_ICDAR_LINE';

/** Maximum number of words or detections of an image, since each word is compared with each detection. */
const MOST_LINES = 4000;

/** The lines of a file; none, and its problem in `findings`, if it cannot be decoded or has too many. */
export function linesOf({ file, bytes }: TextFile, findings: Findings): Line[] {
  try {
    return numberedLines(readLines(bytes, file), file);
  } catch (error) {
    findings.absorb(error);
    return [];
  }
}

/** The lines that are not empty, with their numbers. Lines over which NumPy has broken one array are joined. Throws
 *  E_ICDAR_LIMIT for more than MOST_LINES. */
function numberedLines(lines: readonly string[], file: string): Line[] {
  const numbered: { text: string; readonly line: number }[] = [];
  for (const [i, text] of lines.entries()) {
    const last = numbered.at(-1);
    if (last && beginsNative(last.text) && !beginsNative(text)) last.text += ` ${text}`;
    else if (text.trim() !== '') numbered.push({ text, line: i + 1 });
  }
  if (numbered.length > MOST_LINES) {
    const message = `${numbered.length} boxes on one image; at most ${MOST_LINES} are allowed`;
    throw new FinetuneError({ code: 'E_ICDAR_LIMIT', message, where: { file, line: numbered[MOST_LINES]!.line } });
  }
  return numbered.map(({ text, line }) => ({ file, line, fields: cutFields(text) }));
}

/** Largest coordinate: the official scripts store coordinates as 32-bit integers. */
const FARTHEST = 2 ** 31 - 1;

/** Returns false, and adds a problem, if a coordinate is too large or a rectangle has its corners in the wrong order. */
export function checkOutline({ points, isRectangle }: Outline, { file, line }: Line, findings: Findings): boolean {
  const where = { file, line };
  const far = points.find((value) => Math.abs(value) > FARTHEST);
  if (far !== undefined) {
    findings.problem({ code: ICDAR_LINE, message: `${far} is too large for a pixel coordinate`, where });
    return false;
  }
  const [left, top, right, bottom] = points as [number, number, number, number];
  if (isRectangle && (right < left || bottom < top)) {
    const message = right < left ? `right (${right}) < left (${left})` : `bottom (${bottom}) < top (${top})`;
    const fix = 'write a rectangle as left, top, right, bottom; not as x, y, width, height';
    findings.problem({ code: 'E_ICDAR_BOX', message, where, fix });
    return false;
  }
  return true;
}
