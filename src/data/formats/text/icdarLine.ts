import { toNumber } from '../textFile.js';

/** A line of an ICDAR file, split at its separators up to the first field that is no number. */
export interface Fields {
  /** Leading numbers. */
  readonly numbers: readonly number[];
  /** Whether text follows the numbers. */
  readonly hasText: boolean;
  /** The rest of the line after the first `count` fields, unchanged: the transcription with its commas. */
  readonly rest: (count: number) => string;
}

/** A line of a text file with its place. */
export interface Line {
  readonly file: string;
  readonly line: number;
  readonly fields: Fields;
}

/** Split a line `38,43,920,215,"text"` or, as in the training part of 2013, `38 43 920 215 "text"`. */
export function cutFields(line: string): Fields {
  const separator = /^\s*[^\s,]*\s*,/.test(line) ? /\s*,/y : /\s+/y;
  const field = separator.source === '\\s+' ? /\s*[^\s]*/y : /[^,]*/y;
  const numbers: number[] = [];
  const starts: number[] = []; // offset of each field
  let at = line.length - line.trimStart().length;
  let hasText = false;
  for (;;) {
    starts.push(at);
    field.lastIndex = at;
    const text = field.exec(line)![0];
    const value = toNumber(text);
    if (value === undefined) {
      hasText = line.slice(at).trim() !== '';
      break;
    }
    numbers.push(value);
    separator.lastIndex = at + text.length;
    const gap = separator.exec(line);
    if (!gap) break;
    at += text.length + gap[0].length;
  }
  return { numbers, hasText, rest: (count) => (count < starts.length ? line.slice(starts[count]) : '') };
}

/** Removes the quotes that ICDAR 2013 and 2015 may put around a transcription, and the backslashes before \" and \\
 *  inside. */
export function unquote(text: string): string {
  const quoted = /^\s*"(.*)"\s*$/.exec(text);
  return quoted ? quoted[1]!.replace(/\\([\\"])/g, '$1') : text.trim();
}
