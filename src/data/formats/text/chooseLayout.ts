import type { Problem } from '../../../errors.js';
import { layoutNames, layoutOf, type LayoutName } from './layouts.js';
import { describeFields, numbersAfter, shorten, type ReadingOptions, type Word } from './layout.js';
import type { Line } from './icdarLine.js';

export interface LayoutOptions extends ReadingOptions {
  /** Name of the option that decides, for messages: `data.layout:`. */
  readonly option: string;
  /** In doubt, read what the official scripts of ICDAR 2013 and 2015 accept as they do. */
  readonly official: boolean;
}

export type Choice = { readonly layout: LayoutName; readonly inDoubt: boolean } | { readonly problem: Problem };

/** Share of a part's lines that may look as if they were meant otherwise: a transcription can begin with numbers. */
const RARE = 0.05;

interface Candidate {
  readonly name: LayoutName;
  readonly read: (line: Line) => Word | string;
  /** Numbers of lines that it can read, that look as if they were meant so, and that have its mark. */
  readonly readable: number;
  readonly natural: number;
  readonly marked: number;
}

/** Decides which layout the lines of a part have. It is certain where every line has a mark of one layout, or where all
 *  layouts that can read every line read the same. Otherwise the problem shows a line with its two readings. */
export function chooseLayout(lines: readonly Line[], options: LayoutOptions): Choice {
  const all = layoutNames.map((name) => candidateOf(name, lines, options));
  const able = all.filter(
    ({ readable, natural }) =>
      readable === lines.length && (natural === lines.length || natural > (1 - RARE) * lines.length),
  );
  const [first, ...others] = able;
  const marked = able.find((one) => one.marked === lines.length);
  if (marked && lines.length > 0) return { layout: marked.name, inDoubt: false };
  const mostly = all.find((one) => one.marked > lines.length / 2);
  if (mostly) return { problem: exception(mostly, lines, options) };
  if (!first) {
    const best = closest(all);
    if (best.natural === 0) return { problem: unknown(lines[0]!, options) };
    return { layout: best.name, inDoubt: false }; // its problems tell what is wrong
  }
  const differing = others.find((other) => firstDifference(first, other, lines, options) !== undefined);
  if (!differing) return { layout: first.name, inDoubt: false };
  const official = options.official && able.find(({ name }) => isOfficial(name, lines));
  if (official && !able.some(({ name }) => name === 'rctw-17')) return { layout: official.name, inDoubt: true };
  return { problem: question(first, differing, lines, options) };
}

function candidateOf(name: LayoutName, lines: readonly Line[], options: ReadingOptions): Candidate {
  const { read, isNatural = () => true, isMarked = () => false } = layoutOf(name);
  const readable = lines.filter(({ fields }) => typeof read(fields, options) !== 'string');
  return {
    name,
    read: ({ fields }) => read(fields, options),
    readable: readable.length,
    natural: readable.filter(({ fields }) => isNatural(fields)).length,
    marked: readable.filter(({ fields }) => isMarked(fields)).length,
  };
}

/** The layout that fits most lines; the first in the table of those that fit as many. */
const closest = (all: readonly Candidate[]): Candidate =>
  all.reduce((best, one) => (one.natural > best.natural ? one : best));

const unknown = ({ file, line, fields }: Line, { option }: LayoutOptions): Problem => ({
  code: 'E_ICDAR_LAYOUT',
  message: `no line is of a known layout; this one has ${describeFields(fields)}`,
  where: { file, line },
  fix: `the layouts are: ${layoutNames.join(', ')} (docs/recipe-text.md); ${option} names one`,
});

/** The first line that two layouts read differently. */
function firstDifference(
  a: Candidate,
  b: Candidate,
  lines: readonly Line[],
  { transcriptions, official }: LayoutOptions,
): Line | undefined {
  const key = (word: Word | string): string =>
    typeof word === 'string'
      ? ''
      : JSON.stringify({ ...word, ...((official || !transcriptions) && { transcription: undefined }) });
  return lines.find((line) => key(a.read(line)) !== key(b.read(line)));
}

/** Whether the official scripts read these lines, and the numbers that follow the coordinates look like a transcription
 *  almost everywhere. */
function isOfficial(name: LayoutName, lines: readonly Line[]): boolean {
  if (name !== 'icdar2013' && name !== 'icdar2015') return false;
  const odd = lines.filter(({ fields }) => {
    const { many, formatted } = numbersAfter(fields, name === 'icdar2013' ? 4 : 8);
    return many > 1 && !formatted;
  });
  return odd.length < RARE * lines.length;
}

/** The problem of a line that has no mark where most lines have that of one layout. */
function exception({ name, read, marked }: Candidate, lines: readonly Line[], { option }: LayoutOptions): Problem {
  const { isMarked = () => false, form } = layoutOf(name);
  const { file, line } = lines.find((one) => typeof read(one) === 'string' || !isMarked(one.fields))!;
  return {
    code: 'E_ICDAR_LAYOUT',
    message: `${marked} of ${lines.length} lines look like ${name} (${form}), but this one does not`,
    where: { file, line },
    fix: `correct the line, or say which layout the files have: ${option} ${name}, or another`,
  };
}

function question(a: Candidate, b: Candidate, lines: readonly Line[], options: LayoutOptions): Problem {
  const line = firstDifference(a, b, lines, options)!;
  const describe = ({ name, read }: Candidate) => `${name}: ${describeWord(read(line) as Word)}`;
  return {
    code: 'E_ICDAR_LAYOUT',
    message: `the line can be read as ${describe(a)}; or as ${describe(b)}`,
    where: { file: line.file, line: line.line },
    fix: `say which layout the files have: ${options.option} ${a.name}, or ${options.option} ${b.name}`,
  };
}

function describeWord({ isRectangle, points, transcription, dontCare }: Word): string {
  const outline = isRectangle ? 'a rectangle' : `${points.length / 2} points`;
  const text = transcription === '' ? 'no text' : `the text "${shorten(transcription)}"`;
  return `${outline} and ${dontCare ? 'a mark of don’t care' : text}`;
}

/** A transcription that has the form of another layout's don't-care mark or prefix: #, ####text, Latin,### or 1,"###". */
export const looksMarked = ({ transcription, dontCare }: Word): boolean =>
  !dontCare && /^(?:#+|####.*|[^,]*,\s*"?#+"?)$/s.test(transcription);

/** The problem of a transcription that is probably the mark of a layout that was not recognised. */
export function markQuestion(
  { transcription }: Word,
  { file, line }: Line,
  layout: LayoutName,
  option: string,
): Problem {
  return {
    code: 'E_ICDAR_LAYOUT',
    message: `"${shorten(transcription)}" can be a word to learn, as in ${layout}, or the mark of another layout`,
    where: { file, line },
    fix: `say which layout the files have, such as ${option} ${layout}; docs/recipe-text.md lists them`,
  };
}
