import type { Problem, Where } from '../errors.js';
import { lineOf, startsOfLines } from '../lines.js';

/** A text with options: a recipe file, or one `--set`. */
export interface Source {
  /** The name in error messages: the file as the user named it, or `--set train.epochs`. */
  readonly name: string;
  readonly text: string;
  /** The folder that relative paths in the text count from. */
  readonly folder: string;
  /** Errors in a file have a line and a column; those in a `--set` have its name alone. */
  readonly kind: 'file' | 'set';
}

/** A part of a source: offsets in UTF-16 units, the end exclusive. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

const lineStarts = new WeakMap<Source, readonly number[]>();

/** The line that an offset is in, counted from 0, and the offsets of its start and its end. */
function lineAt(
  source: Source,
  offset: number,
): { readonly line: number; readonly start: number; readonly end: number } {
  const starts = lineStarts.get(source) ?? startsOfLines(source.text);
  lineStarts.set(source, starts);
  const line = lineOf(starts, offset);
  const next = starts[line + 1];
  return { line, start: starts[line]!, end: next === undefined ? source.text.length : next - 1 };
}

/** File, line and column of the span's start, counted from 1. */
export function whereOf({ source, start }: Span): Where {
  if (source.kind === 'set') return { file: source.name };
  const { line, start: lineStart } = lineAt(source, start);
  return { file: source.name, line: line + 1, column: start - lineStart + 1 };
}

/** Most characters of a line that an excerpt shows, and those of them before the span if the line is longer. */
const [MOST_SHOWN, BEFORE] = [160, 60];
/** Characters that would move the cursor or colour a terminal; each is shown as one other, so that carets line up. */
const CONTROL = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** The line of the source with carets under the span and a hint after them:
 *
 *      9 |   epoch: 12
 *        |   ^^^^^  did you mean "epochs"? */
function excerpt(span: Span, hint?: string): string {
  const { text, kind } = span.source;
  const { line, start, end } = lineAt(span.source, span.start);
  const from = end - start > MOST_SHOWN ? Math.max(start, span.start - BEFORE) : start;
  const to = Math.min(end, from + MOST_SHOWN);
  const shown = text.slice(from, to).trimEnd();
  const left = from > start ? '…' : '';
  const right = to < end ? '…' : '';
  const gutter = `  ${kind === 'set' ? '' : line + 1}`;
  const before = left.replace(/./, ' ') + text.slice(from, span.start).replace(/[^\t]/g, ' '); // tabs stay, so that carets line up
  const carets = '^'.repeat(Math.max(1, Math.min(span.end, from + shown.length) - span.start));
  const visible = shown.replace(CONTROL, (character) => (character === '\t' ? '\t' : '�'));
  return `${gutter} | ${left}${visible}${right}\n${' '.repeat(gutter.length)} | ${before}${carets}${hint ? `  ${hint}` : ''}`;
}

/** The problem with its place and an excerpt of the source. */
export function problemAt<P extends object>(
  span: Span,
  problem: P,
  hint?: string,
): P & Required<Pick<Problem, 'where' | 'excerpt'>> {
  return { ...problem, where: whereOf(span), excerpt: excerpt(span, hint) };
}
