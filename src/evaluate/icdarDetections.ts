import type { Findings } from '../data/findings.js';
import type { TextFile } from '../data/formats/text/icdarArchive.js';
import { checkOutline, ICDAR_LINE, numberedLines, shorten, type Outline } from '../data/formats/text/icdarTruth.js';
import { readLines } from '../data/formats/textFile.js';

export interface TextDetection extends Outline {
  readonly confidence: number | undefined;
}

/** Read one result file: 4 numbers are a rectangle, 8 and more a polygon; an odd number at the end is the confidence.
 *  Text after the numbers (end-to-end results) is ignored and counted in `findings`, where problems go, too. */
export function readDetections({ file, bytes }: TextFile, findings: Findings): TextDetection[] {
  return numberedLines(readLines(bytes, file), file).flatMap((row) => {
    const { numbers, hasText, rest } = row.fields;
    const count = numbers.length;
    const where = { file, line: row.line };
    if (count < 4 || count === 6 || count === 7) {
      const found = count === 1 ? '1 number' : `${count} numbers`;
      const message = `expected 4, 8 or more numbers, found ${found}${hasText ? ` before "${shorten(rest(count))}"` : ''}`;
      const fix = 'a detection is left,top,right,bottom or x1,y1,…,x4,y4; a confidence may follow';
      findings.problem({ code: ICDAR_LINE, message, where, fix });
      return [];
    }
    if (hasText && toldNotANumber.test(rest(count))) {
      const message = `"${shorten(rest(count))}" is not a number`;
      findings.problem({ code: ICDAR_LINE, message, where });
      return [];
    }
    if (hasText) findings.count('detection lines with a text after the numbers, which is not looked at');
    const outline = checkOutline(numbers.slice(0, count & ~1), count < 6, row, findings);
    return outline ? [{ ...outline, confidence: count % 2 === 1 ? numbers[count - 1] : undefined }] : [];
  });
}

/** Whether a text is a failed number such as NaN, and not a word. */
const toldNotANumber = /^\s*[+-]?(?:nan|inf|infinity|null|none)\s*(?:,|$)/i;
