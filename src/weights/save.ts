import { FinetuneError } from '../errors.js';
import type { WriteOptions } from '../files/writeAtomically.js';
import type { Params } from '../graph/params.js';
import type { ParamKind } from '../graph/spec.js';
import { toTorch } from './layout.js';
import { writeSafetensors } from './safetensorsFile.js';

export interface SaveOptions extends WriteOptions {
  /** How each parameter is laid out, by name: must know every one. */
  readonly kinds: ReadonlyMap<string, ParamKind>;
  /** Names of the class predictor's columns: behind BACKGROUND (categories.ts) the categories if it is a softmax. */
  readonly categories: readonly string[];
  /** BatchNorms whose statistics are still the folded ones. */
  readonly folded?: readonly string[];
  /** Further entries for a reader's eyes. */
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
      format: 'pt', // Hugging Face's and timm's readers ask for it
      categories: JSON.stringify(categories),
      ...(folded.length > 0 && { folded: JSON.stringify(folded) }),
      ...metadata,
    },
    order: 'insertion',
    previous,
  });
}
