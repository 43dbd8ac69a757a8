import { parseYaml } from '../parseYaml.js';
import { FinetuneError } from '../../../errors.js';
import type { PartName } from '../../sample.js';

/** What data.yaml of Ultralytics and Roboflow, or obj.data of Darknet, says. */
export interface YoloConfig {
  /** Folder of the data set, as it is written; relative to the file. */
  readonly path: string | undefined;
  /** Names of the classes by their numbers. */
  readonly names: ReadonlyMap<number, string> | undefined;
  /** Number of classes. */
  readonly count: number | undefined;
  /** The lines of the labels have key points behind their boxes. */
  readonly hasKeypoints: boolean;
  /** A file that lists the names, one a line. */
  readonly namesFile: string | undefined;
  /** Folders, lists of images, or images, of each part. */
  readonly parts: Partial<Record<PartName, readonly string[]>>;
}

const KEYS: Readonly<Record<PartName, readonly string[]>> = {
  train: ['train'],
  val: ['val', 'valid', 'validation'],
  test: ['test'],
};

/** Reads data.yaml. Throws E_LABEL_SYNTAX if it is not YAML, E_LABEL_LAYOUT if its values make no sense. */
export function parseYoloYaml(text: string, file: string): YoloConfig {
  const yaml = parseYaml(text);
  if ('fault' in yaml) {
    const where = { file, ...(yaml.line !== undefined && { line: yaml.line }) };
    throw new FinetuneError({ code: 'E_LABEL_SYNTAX', message: `not YAML: ${yaml.fault}`, where });
  }
  const { value } = yaml;
  const fail = (message: string, fix?: string): never => {
    throw new FinetuneError({ code: 'E_LABEL_LAYOUT', message, where: { file }, ...(fix !== undefined && { fix }) });
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail('the file must be a map of keys');
  const config = value as Readonly<Record<string, unknown>>;
  const { path, nc } = config;
  const names = writtenNames(text);
  const count = typeof nc === 'number' && Number.isInteger(nc) ? nc : undefined;
  const named =
    names === undefined || names === null || names === '' || isFile(names)
      ? undefined
      : (namesOf(names) ??
        fail('"names" must be a list of names, or a map from numbers to names', 'write names: [cat, dog]'));
  if (named && count !== undefined && named.size !== count)
    return fail(
      `"names" has ${named.size} names, but "nc" is ${count}`,
      'name every class that the labels have a number of, and set "nc" to the number of names',
    );
  return {
    path: typeof path === 'string' && path !== '' ? path : undefined,
    names: named,
    count,
    hasKeypoints: Array.isArray(config['kpt_shape']),
    namesFile: isFile(names) ? names : undefined,
    parts: partsOf((key) => config[key]),
  };
}

/** Reads obj.data of Darknet: lines of `key = value`. Throws E_LABEL_LAYOUT if it has none of its keys. */
export function parseDarknetData(text: string, file: string): YoloConfig {
  const values = new Map<string, string>();
  for (const line of text.split(/\r\n|[\n\r]/)) {
    const found = /^\s*(\w+)\s*=\s*(.*\S)\s*$/.exec(line);
    if (found) values.set(found[1]!.toLowerCase(), found[2]!);
  }
  if (!['classes', 'names', 'train'].some((key) => values.has(key)))
    throw new FinetuneError({
      code: 'E_LABEL_LAYOUT',
      message: 'the file has no line with classes, names or train',
      where: { file },
    });
  const count = Number(values.get('classes'));
  return {
    path: undefined,
    names: undefined,
    count: Number.isInteger(count) ? count : undefined,
    hasKeypoints: false,
    namesFile: values.get('names'),
    parts: partsOf((key) => values.get(key)),
  };
}

/** The names as they are written: YAML would make a number of 007, and nothing of null. */
function writtenNames(text: string): unknown {
  const yaml = parseYaml(text, 'failsafe');
  return 'fault' in yaml ? undefined : (yaml.value as Readonly<Record<string, unknown>> | null)?.['names'];
}

/** Whether names stand in a file of their own. */
const isFile = (names: unknown): names is string => typeof names === 'string' && /\.(?:txt|names)$/i.test(names);

/** Names by number, of a list or a map; undefined if it is neither. */
function namesOf(names: unknown): Map<number, string> | undefined {
  if (typeof names !== 'object' || names === null) return undefined;
  const entries = Object.entries(names).map(([key, name]): [number, string] => [Number(key), String(name).trim()]);
  const isSound = ([key]: [number, string], index: number): boolean =>
    Number.isInteger(key) && key >= 0 && isName(Object.values(names)[index]);
  return entries.every(isSound) ? new Map(entries) : undefined;
}

const isName = (name: unknown): boolean => typeof name === 'string' && name.trim() !== '';

function partsOf(read: (key: string) => unknown): YoloConfig['parts'] {
  const parts: Partial<Record<PartName, readonly string[]>> = {};
  for (const part of ['train', 'val', 'test'] as const) {
    const value = KEYS[part].map(read).find((one) => one !== undefined && one !== null && one !== '');
    const places = (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string');
    if (places.length > 0) parts[part] = places;
  }
  return parts;
}
