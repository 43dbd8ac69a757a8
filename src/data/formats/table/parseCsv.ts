/** A row of a table. */
export interface Row {
  readonly cells: readonly string[];
  /** Line of its first cell, counted from 1. */
  readonly line: number;
}

/** The first line of a table that Excel wrote, or was told to read: it names the separator. */
const NAMED = /^\uFEFF?sep=(.)\r?\n/i;

/** Parses a table into rows; empty lines are left out. The separator is the one that the first line names (sep=;), or
 *  that occurs most often in it. */
export function parseCsv(text: string): Row[] {
  const named = NAMED.exec(text);
  const first = /^[^\r\n]*/.exec(text)![0];
  const separator =
    named?.[1] ?? [',', ';', '\t'].reduce((a, b) => (first.split(b).length > first.split(a).length ? b : a));
  const rows: Row[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let [line, rowLine] = named ? [2, 2] : [1, 1];
  const endRow = (): void => {
    cells.push(cell);
    if (cells.length > 1 || cell.trim() !== '') rows.push({ cells, line: rowLine });
    [cells, cell] = [[], ''];
  };
  for (let i = named?.[0].length ?? 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '\n') line++;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[i + 1] === '"') cell += text[i++]!;
      else quoted = false;
    } else if (character === '"' && cell === '') quoted = true;
    else if (character === separator) {
      cells.push(cell);
      cell = '';
    } else if (character === '\n') {
      endRow();
      rowLine = line;
    } else if (character !== '\r') cell += character;
  }
  if (cell !== '' || cells.length > 0) endRow();
  return rows;
}
