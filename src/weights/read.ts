import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import type { Param } from '../graph/params.js';
import { findInCatalog } from './catalog.js';
import type { KnownConventions } from './conventions.js';
import { nameWeights } from './names.js';
import { timmConventions } from './names/timm.js';
import type { RawWeights } from './decode/raw.js';
import { readRaw } from './readRaw.js';
import { defaultCacheDir, forget } from './sources/cache.js';
import { openSource, type Source } from './sources/source.js';
import type { SourceOptions } from './sources/sourceOptions.js';

/** The entry of the metadata that holds the description of the model. */
export const DESCRIPTION = 'model';

/** The weights behind a URI, under our names. */
export interface WeightsFile {
  readonly source: Source;
  /** `torch`: OIHW, C1HW, OI; `ours`: HWIO, HWC1, IO. */
  readonly layout: 'torch' | 'ours';
  readonly params: ReadonlyMap<string, Param>;
  /** Categories of the class predictor's columns ('' for a nameless one); undefined if neither the file nor the catalog
   *  has them. */
  readonly categories: readonly string[] | undefined;
  /** Whether the class predictor may have a column before its classes that means nothing. */
  readonly spareColumn?: boolean;
  /** What the network that the weights were trained in computes around them. */
  readonly conventions: KnownConventions;
  /** The description of the model as JSON, in a file that we wrote (tasks/description/). */
  readonly description: string | undefined;
  /** Names of BatchNorms whose statistics were folded away before publication, e.g. "backbone.bn1". */
  readonly folded: readonly string[];
  /** Names of arrays that are not float weights: counters, constants of pre- and post-processing. */
  readonly setAside: readonly string[];
}

/** Fetches the weights behind a URI or a name of the catalog, and reads them under their own names. Throws what the
 *  source and the decoder throw. */
export async function readRawWeights(
  uri: string,
  options: SourceOptions = {},
): Promise<{ source: Source; raw: RawWeights }> {
  const source = await openSource(findInCatalog(uri)?.uri ?? uri, options);
  options.onProgress?.({ message: `reading ${source.file}` });
  const raw = await readRaw(source.file).catch(async (error: unknown) => {
    if (error instanceof FinetuneError && DAMAGE.test(error.code) && /^(https?|hf):/i.test(source.uri)) {
      await forget(options.cacheDir ?? defaultCacheDir(), source.dir);
      options.onProgress?.({ message: 'the damaged download is removed from the cache' });
    }
    throw error;
  });
  return { source, raw };
}

/** Errors of a file that ends too early or is not what its name says: the server may have a sound one the next time. */
const DAMAGE =
  /^E_(WEIGHTS_FORMAT|SAFETENSORS_(HEADER|METADATA|ENTRY|OFFSETS|SIZE|TRUNCATED)|TORCH_(FORMAT|PICKLE|TRUNCATED)|HDF5_FORMAT|TFJS_(FORMAT|SHARD))$/;

/** Fetches weights and reads them under our names. Throws E_WEIGHTS_{FORMAT,NAMES}, and what the source and the decoder
 *  throw. */
export async function readWeights(uri: string, options: SourceOptions = {}): Promise<WeightsFile> {
  const { source, raw } = await readRawWeights(uri, options);
  const named = nameWeights(raw, source.file);
  const catalogued = findInCatalog(uri);
  return {
    source,
    layout: raw.layout,
    params: named.params,
    categories:
      parseNames(raw.metadata, 'categories', source.file) ??
      named.categories ??
      catalogued?.categories.map(({ name }) => name),
    spareColumn: named.spareColumn ?? false,
    conventions: { ...timmConventions(catalogued?.uri ?? uri), ...named.conventions },
    description: raw.metadata[DESCRIPTION],
    folded: parseNames(raw.metadata, 'folded', source.file) ?? named.folded,
    setAside: named.setAside,
  };
}

/** Parses a list of names that save.ts wrote as JSON. */
function parseNames(metadata: Readonly<Record<string, string>>, key: string, file: string): string[] | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch (error) {
    const message = `metadata "${key}" is not a JSON list of names: ${text.slice(0, 60)}`;
    throw new FinetuneError({ code: 'E_SAFETENSORS_METADATA', message, where: { file } }, { cause: error });
  }
}
