import { isFields, parseLabelJson, type Fields } from './readLabels.js';
import type { LabelFile } from './textLayout.js';

/** A line of a file with an object of JSON in each line. */
export interface JsonLine {
  readonly fields: Fields;
  readonly where: { readonly file: string; readonly line: number };
}

/** Reads the lines that are objects; the others are problems, but for blank ones. */
export const jsonLines = (
  text: string,
  { file, findings, wrong }: Pick<LabelFile, 'file' | 'findings' | 'wrong'>,
): JsonLine[] =>
  text.split(/\r\n|[\n\r]/).flatMap((line, index): JsonLine[] => {
    if (line.trim() === '') return [];
    const where = { file, line: index + 1 };
    try {
      const fields = parseLabelJson(line, file, index + 1);
      if (isFields(fields)) return [{ fields, where }];
      wrong('the line is not an object', where);
    } catch (error) {
      findings.absorb(error);
    }
    return [];
  });
