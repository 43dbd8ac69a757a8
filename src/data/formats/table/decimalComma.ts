import type { Findings } from '../../findings.js';
import type { Where } from '../../../errors.js';
import type { Row } from './parseCsv.js';

const WITH_COMMA = /^[+-]?\d+,\d+$/;
/** Three digits behind a comma may also be thousands. */
const MAY_BE_THOUSANDS = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/** The rows with points in the place of decimal commas in some columns, as spreadsheets of many countries write them.
 *  Where every such number may also be one with thousands, nothing is changed, and a problem says so: E_LABEL_ROW. */
export function withDecimalPoints(
  rows: readonly Row[],
  columns: readonly number[],
  { file, findings }: { readonly file: string; readonly findings: Findings },
): readonly Row[] {
  const isWritten = (cell: string | undefined): boolean => WITH_COMMA.test(cell?.trim() ?? '');
  const written = rows.flatMap(({ cells, line }) =>
    columns.filter((column) => isWritten(cells[column])).map((column) => ({ cell: cells[column]!.trim(), line })),
  );
  const [first] = written;
  if (!first) return rows;
  const where: Where = { file, line: first.line };
  if (written.every(({ cell }) => MAY_BE_THOUSANDS.test(cell))) {
    const message = `"${first.cell}" can be ${first.cell.replace(',', '.')} or ${first.cell.replace(',', '')}`;
    const fix = 'write numbers with a decimal point and without a separator of thousands';
    findings.problem({ code: 'E_LABEL_ROW', message, where, fix });
    return [];
  }
  findings.count('number with a decimal comma', () => ({ message: `"${first.cell}"`, where }), written.length);
  return rows.map(({ cells, line }) => ({
    cells: cells.map((cell, column) => (columns.includes(column) && isWritten(cell) ? cell.replace(',', '.') : cell)),
    line,
  }));
}
