import { FILES, nameOf, SETS } from './columns.js';

/** Names of the column of the classes, the usual one first. */
const LABELS = [
  'label',
  'class',
  'category',
  'class_name',
  'label_name',
  'category_name',
  'choice',
  'labels',
  'target',
];

/** How a table says the class of each file. */
export interface LabelColumns {
  /** The column of the files. */
  readonly file: number;
  /** The column that says to which part a row belongs. */
  readonly set: number | undefined;
  /** The class of a row; '' if it has none. `wrong` says why it is not clear. */
  labelOf(cells: readonly string[]): { readonly label: string } | { readonly wrong: string };
}

/** The columns of a table with a file and a class in each row, or a column for each class, of which one has a 1
 *  (Roboflow); undefined if its first row does not name them. */
export function labelColumns([head, ...rows]: readonly { readonly cells: readonly string[] }[]):
  LabelColumns | undefined {
  const heads = head?.cells.map(nameOf) ?? [];
  const at = (names: readonly string[]): number => heads.indexOf(names.find((name) => heads.includes(name)) ?? '');
  const [file, column] = [at(FILES), at(LABELS)];
  if (file < 0) return undefined;
  const textOf = (cells: readonly string[], one: number): string => cells[one]?.trim().normalize() ?? '';
  const set = heads.findIndex((name, one) => SETS.includes(name) && one !== file && one !== column);
  const base = { file, set: set >= 0 ? set : undefined };
  if (column >= 0) return { ...base, labelOf: (cells) => ({ label: textOf(cells, column) }) };
  const classes = heads.flatMap((name, one) => (one === file || one === set || name === '' ? [] : [one]));
  const areFlags = rows.every(({ cells }) => classes.every((one) => /^[01]?(?:\.0)?$/.test(textOf(cells, one))));
  const isSet = (cells: readonly string[], one: number): boolean => Number(textOf(cells, one)) === 1;
  if (classes.length < 2 || !areFlags || !rows.some(({ cells }) => classes.some((one) => isSet(cells, one))))
    return undefined;
  return {
    ...base,
    labelOf: (cells) => {
      const own = classes.filter((one) => isSet(cells, one)).map((one) => textOf(head!.cells, one));
      return own.length > 1
        ? { wrong: `the row has the classes ${own.join(', ')}: an image has one class` }
        : { label: own[0] ?? '' };
    },
  };
}
