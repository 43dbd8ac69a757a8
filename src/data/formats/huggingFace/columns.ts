/** Columns of a data set of Hugging Face: names that people use, the usual one first. */
const FILES = ['file_name', 'filename', 'image_path', 'path', 'image'] as const;
const OBJECTS = ['objects', 'annotations', 'bboxes', 'bbox', 'boxes', 'object'] as const;
const LABELS = ['label', 'labels', 'class', 'category', 'fine_label', 'coarse_label', 'target', 'categories', 'classes'] as const; // prettier-ignore

export interface HubColumns {
  readonly file: string | undefined;
  readonly objects: string | undefined;
  readonly label: string | undefined;
}

/** Which column of a table holds what, by its name. */
export function hubColumns(columns: readonly string[]): HubColumns {
  const has = (names: readonly string[]): string | undefined => names.find((name) => columns.includes(name));
  return { file: has(FILES), objects: has(OBJECTS), label: has(LABELS) };
}
