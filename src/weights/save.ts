import { FinetuneError } from '../errors.js';
import type { WriteOptions } from '../files/writeAtomically.js';
import type { Params } from '../graph/params.js';
import type { ParamKind } from '../graph/spec.js';
import { toTorch } from './layout.js';
import { writeSafetensors } from './safetensorsFile.js';

export interface SaveOptions extends WriteOptions {
  /** The kind of each parameter by name, which says how it is laid out. No parameter may be missing. */
  readonly kinds: ReadonlyMap<string, ParamKind>;
  /** Names of the class predictor's columns: the categories, for a softmax after BACKGROUND (categories/columns.ts). */
  readonly categories: readonly string[];
  /** Names of the BatchNorms whose statistics are still folded away. */
  readonly folded?: readonly string[];
  /** Further entries of the metadata, for people. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Writes parameters as safetensors, atomically: our names (timm's, below `backbone.`), PyTorch's layout.
 *  Throws E_WEIGHTS_KIND if a parameter's kind is unknown. */
export async function saveWeights(file: string, params: Params, options: SaveOptions): Promise<void> {
  const { kinds, categories, folded = [], metadata = {}, previous } = options;
  const tensors = new Map(
    [...params].map(([name, param]) => {
      const kind = kinds.get(name);
      if (!kind) throw new FinetuneError({ code: 'E_WEIGHTS_KIND', message: `internal: "${name}" has no kind` });
      return [name, toTorch(kind, param)];
    }),
  );
  await writeSafetensors(file, tensors, {
    metadata: {
      format: 'pt', // the readers of Hugging Face and timm want it
      categories: JSON.stringify(categories),
      ...(folded.length > 0 && { folded: JSON.stringify(folded) }),
      ...metadata,
    },
    order: 'insertion',
    previous,
  });
}
