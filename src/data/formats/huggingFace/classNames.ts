import { join } from 'node:path';
import { parseYaml } from '../parseYaml.js';
import { isFields } from '../records/readLabels.js';
import { readLabelText } from '../records/readLabels.js';
import { listFiles } from '../detect/listing.js';
import { FinetuneError } from '../../../errors.js';

/** Names of the classes by their numbers. */
export type ClassNames = readonly string[];

/** The names of a ClassLabel in the `huggingface` metadata of a parquet file, or in dataset_infos.json; below a key, if
 *  one is given. */
export function namesInFeatures(json: unknown, key?: string): ClassNames | undefined {
  const start = key === undefined ? json : below(json, key);
  return search(start, (fields) => {
    const { names } = fields;
    const isLabel = fields['_type'] === 'ClassLabel' || fields['dtype'] === 'class_label';
    return isLabel && Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
  });
}

/** The names of a class_label in the head of the data set's README.md. */
export async function namesInReadme(root: string): Promise<ClassNames | undefined> {
  const { files } = await listFiles(root);
  if (!files.includes('README.md')) return undefined;
  try {
    const [, head] = /^---\r?\n(.*?)\r?\n---/s.exec(await readLabelText(join(root, 'README.md'))) ?? [];
    const yaml = head === undefined ? undefined : parseYaml(head);
    if (!yaml || 'fault' in yaml) return undefined;
    return search(yaml.value, (fields) => {
      const label = fields['class_label'];
      const names = isFields(label) ? label['names'] : undefined;
      return typeof names === 'object' && names !== null ? Object.values(names).map(String) : undefined;
    });
  } catch (error) {
    if (error instanceof FinetuneError) return undefined;
    throw error;
  }
}

/** Most objects inside each other that are searched. */
const DEEPEST = 20;

function search<T>(
  value: unknown,
  find: (fields: Readonly<Record<string, unknown>>) => T | undefined,
  depth = 0,
): T | undefined {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return undefined;
  const found = isFields(value) ? find(value) : undefined;
  if (found !== undefined) return found;
  for (const inner of Object.values(value)) {
    const deeper = search(inner, find, depth + 1);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** The value of a key, wherever it stands. */
const below = (value: unknown, key: string): unknown => search(value, (fields) => fields[key]);
