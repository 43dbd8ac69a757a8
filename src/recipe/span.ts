import type { Problem, Where } from '../errors.js';

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

/** File, line and column of the span's start, counted from 1. */
function whereOf({ source, start }: Span): Where {
  if (source.kind === 'set') return { file: source.name };
  const before = source.text.slice(0, start).split('\n');
  return { file: source.name, line: before.length, column: before.at(-1)!.length + 1 };
}

/** The line of the source with carets under the span and a hint after them:
 *
 *      9 |   epoch: 12
 *        |   ^^^^^  did you mean "epochs"? */
function excerpt(span: Span, hint?: string): string {
  const { text, kind } = span.source;
  const lineStart = text.lastIndexOf('\n', span.start - 1) + 1;
  const nextBreak = text.indexOf('\n', span.start);
  const line = text.slice(lineStart, nextBreak < 0 ? undefined : nextBreak).trimEnd();
  const gutter = `  ${kind === 'set' ? '' : (whereOf(span).line ?? '')}`;
  const before = line.slice(0, span.start - lineStart).replace(/[^\t]/g, ' '); // tabs stay, so that carets line up
  const carets = '^'.repeat(Math.max(1, Math.min(span.end - lineStart, line.length) - (span.start - lineStart)));
  return `${gutter} | ${line}\n${' '.repeat(gutter.length)} | ${before}${carets}${hint ? `  ${hint}` : ''}`;
}

/** The problem with its place and an excerpt of the source. */
export function problemAt<P extends object>(
  span: Span,
  problem: P,
  hint?: string,
): P & Required<Pick<Problem, 'where' | 'excerpt'>> {
  return { ...problem, where: whereOf(span), excerpt: excerpt(span, hint) };
}
