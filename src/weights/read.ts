import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import type { Param } from '../graph/params.js';
import { findInCatalog } from './catalog.js';
import { nameWeights } from './names.js';
import type { RawWeights } from './decode/raw.js';
import { readRaw } from './readRaw.js';
import { openSource, type Source } from './sources/source.js';
import type { SourceOptions } from './sources/sourceOptions.js';

/** What stands behind a weight URI, under the names of timm, torchvision or ours. */
export interface WeightsFile {
  readonly source: Source;
  /** `torch`: OIHW, C1HW, OI; `ours`: HWIO, HWC1, IO. */
  readonly layout: 'torch' | 'ours';
  readonly params: ReadonlyMap<string, Param>;
  /** Categories of the class predictor's columns ('' = nameless), where the file or the catalog says so. */
  readonly categories: readonly string[] | undefined;
  /** BatchNorms whose statistics were folded away before publication, "backbone.bn1". */
  readonly folded: readonly string[];
  /** Arrays that are no float weights: counters, constants of pre- and post-processing. */
  readonly setAside: readonly string[];
}

/** Opens a weight URI or a name of the catalog and reads it as it is. Throws what the source and the reader throw. */
export async function readRawWeights(
  uri: string,
  options: SourceOptions = {},
): Promise<{ source: Source; raw: RawWeights }> {
  const source = await openSource(findInCatalog(uri)?.uri ?? uri, options);
  options.onProgress?.({ message: `reading ${source.file}` });
  return { source, raw: await readRaw(source.file) };
}

/** The same under our names. Throws E_WEIGHTS_{FORMAT,NAMES}, and what the source and the reader throw. */
export async function readWeights(uri: string, options: SourceOptions = {}): Promise<WeightsFile> {
  const { source, raw } = await readRawWeights(uri, options);
  const named = nameWeights(raw, source.file);
  const catalogued = findInCatalog(uri)?.categories.map(({ name }) => name);
  return {
    source,
    layout: raw.layout,
    params: named.params,
    categories: parseNames(raw.metadata, 'categories', source.file) ?? named.categories ?? catalogued,
    folded: parseNames(raw.metadata, 'folded', source.file) ?? named.folded,
    setAside: named.setAside,
  };
}

/** A list of strings that save.ts wrote as JSON. */
function parseNames(metadata: Readonly<Record<string, string>>, key: string, file: string): string[] | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch (error) {
    const message = `metadata "${key}" is no JSON list of names: ${text.slice(0, 60)}`;
    throw new FinetuneError({ code: 'E_SAFETENSORS_METADATA', message, where: { file } }, { cause: error });
  }
}
