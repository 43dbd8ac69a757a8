import { FILES, nameOf } from './columns.js';

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

/** The columns of a table with a file and a class in each row; undefined if its first row does not name both. */
export function labelColumns(head: readonly string[]): { readonly file: number; readonly label: number } | undefined {
  const heads = head.map(nameOf);
  const at = (names: readonly string[]): number => heads.indexOf(names.find((name) => heads.includes(name)) ?? '');
  const [file, label] = [at(FILES), at(LABELS)];
  return file < 0 || label < 0 ? undefined : { file, label };
}
