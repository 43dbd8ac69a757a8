import { open, readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** A licence of the data, and who states it. */
export interface DataLicense {
  readonly license: string;
  /** The file of the data set, or the option. */
  readonly source: string;
}

/** Licences by what names them: SPDX names, and the words that people use. */
const NAMES: readonly (readonly [pattern: RegExp, license: string])[] = [
  [/\bCC0\b|creativecommons\.org\/publicdomain\/zero|CC0 1\.0/i, 'CC0-1.0'],
  [/\bApache(?:[- ]License)?(?:,? Version)?[- ]2\.0\b|www\.apache\.org\/licenses\/LICENSE-2\.0/i, 'Apache-2.0'],
  [/\bMIT\b(?: License)?/, 'MIT'],
  [/\bBSD[- ]3[- ]Clause\b|\bNeither the name of\b/i, 'BSD-3-Clause'],
  [/\bBSD[- ]2[- ]Clause\b/i, 'BSD-2-Clause'],
  [/\bAGPL[- ]?(?:v|version )?3|GNU AFFERO GENERAL PUBLIC LICENSE/i, 'AGPL-3.0'],
  [/(?<!A)GPL[- ]?(?:v|version )?3|GNU GENERAL PUBLIC LICENSE\s+Version 3/i, 'GPL-3.0'],
  [/\bODbL\b|Open Database License/i, 'ODbL-1.0'],
  [/\bPDDL\b|Public Domain Dedication and License/i, 'PDDL-1.0'],
  [/\bCDLA-Permissive-2\.0\b/i, 'CDLA-Permissive-2.0'],
];
/** Creative Commons: `CC BY-NC-SA 4.0`, `cc-by-4.0`, the address of the deed, or the title of the text. */
const CC = /\bCC[- ]BY((?:[- ](?:NC|SA|ND))*)[- ](\d\.\d)\b/gi;
const CC_DEED = /creativecommons\.org\/licenses\/by((?:-(?:nc|sa|nd))*)\/(\d\.\d)/gi;
const CC_TITLE = /\bAttribution((?:[- ](?:NonCommercial|ShareAlike|NoDerivatives|NoDerivs))*) (\d\.\d)\b/gi;
const SHORT: Readonly<Record<string, string>> = {
  noncommercial: 'NC',
  sharealike: 'SA',
  noderivatives: 'ND',
  noderivs: 'ND',
};

/** The licences that a text names, by their SPDX names. */
export function licensesIn(text: string): string[] {
  const found = NAMES.flatMap(([pattern, license]) => (pattern.test(text) ? [license] : []));
  for (const pattern of [CC, CC_DEED, CC_TITLE])
    for (const [, parts = '', version] of text.matchAll(pattern)) {
      const rights = parts.split(/[- ]/).filter((part) => part !== '');
      found.push(['CC-BY', ...rights.map((one) => SHORT[one.toLowerCase()] ?? one.toUpperCase()), version].join('-'));
    }
  return [...new Set(found)];
}

/** Bytes of a text that are looked at, and of each end of an annotation file. */
const [TEXT_BYTES, JSON_BYTES] = [64 * 1024, 4 * 2 ** 20];
/** Annotation files that are looked at. */
const MOST_FILES = 20;

/** The licences that a data set states in its folder: its LICENSE file, the lines of its README about the licence, and
 *  the `licenses` of annotations in COCO's form. Files that cannot be read are left out. */
export async function licensesOfFolder(root: string): Promise<DataLicense[]> {
  const names = (await readdir(root).catch(() => [])).sort();
  const found: DataLicense[] = [];
  for (const name of names) {
    if (/^(licen[cs]e|copying)/i.test(name)) {
      const text = await headOf(join(root, name), TEXT_BYTES);
      const known = licensesIn(text);
      const [title] = text.split('\n', 1);
      if (known.length > 0) found.push(...known.slice(0, 1).map((license) => ({ license, source: name })));
      else if (title?.trim()) found.push({ license: title.trim().slice(0, 100), source: name });
    }
    if (/^readme|^datasheet|\bdata(set)?[-_ ]?card/i.test(name)) {
      const text = await headOf(join(root, name), TEXT_BYTES);
      const lines = text.split('\n').filter((line) => /licen[cs]e/i.test(line));
      for (const license of licensesIn(lines.join('\n'))) found.push({ license, source: name });
    }
  }
  for (const name of await annotationFiles(root, names))
    for (const license of await cocoLicenses(join(root, name))) found.push({ license, source: name });
  return found;
}

async function annotationFiles(root: string, names: readonly string[]): Promise<string[]> {
  const folders = names.filter((name) => /^annotations?$/i.test(name));
  const inFolders = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(root, folder)).catch(() => [])).map((name) => `${folder}/${name}`),
    ),
  );
  return [...names, ...inFolders.flat().sort()].filter((name) => extname(name) === '.json').slice(0, MOST_FILES);
}

/** The names of the top-level `licenses` of an annotation file, which stand near its beginning or its end. */
async function cocoLicenses(file: string): Promise<string[]> {
  for (const part of [await headOf(file, JSON_BYTES), await tailOf(file, JSON_BYTES)]) {
    const list = /"licenses"\s*:\s*(\[[^\]]*\])/.exec(part)?.[1];
    if (list === undefined) continue;
    try {
      const licenses = JSON.parse(list) as readonly { readonly name?: unknown; readonly url?: unknown }[];
      return licenses.flatMap(({ name, url }) => {
        const text = [name, url].filter((one) => typeof one === 'string').join(' ');
        return licensesIn(text)[0] ?? (typeof name === 'string' && name !== '' ? [name] : []);
      });
    } catch {
      return [];
    }
  }
  return [];
}

async function headOf(file: string, bytes: number): Promise<string> {
  return partOf(file, () => 0, bytes);
}
async function tailOf(file: string, bytes: number): Promise<string> {
  return partOf(file, (size) => Math.max(0, size - bytes), bytes);
}

async function partOf(file: string, startOf: (size: number) => number, bytes: number): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= bytes) return await readFile(file, 'utf8');
    const handle = await open(file);
    try {
      const buffer = Buffer.alloc(bytes);
      const { bytesRead } = await handle.read(buffer, 0, bytes, startOf(size));
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    return '';
  }
}
