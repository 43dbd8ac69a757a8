import type { ParamKind } from '../graph/spec.js';
import type { Score } from '../tasks/evaluator.js';
import type { Model } from '../tasks/model.js';
import { applyWeights, loadWeights, type LoadOptions, type WeightsReport } from '../weights/load.js';
import { saveWeights } from '../weights/save.js';

/** Returns the model with the values of a weights file. It is as strict as loadWeights, and throws its errors. */
export async function withWeights<Prediction, S extends Score>(
  model: Model<Prediction, S>,
  uri: string,
  options: Omit<LoadOptions, 'categories'> = {},
): Promise<{ readonly model: Model<Prediction, S>; readonly report: WeightsReport }> {
  const loaded = await loadWeights(uri, [...model.parameters.values()], { ...options, categories: model.columns });
  return {
    model: { ...model, params: applyWeights(model.params, loaded), folded: loaded.folded },
    report: loaded.report,
  };
}

/** Writes the model's values atomically as safetensors, in PyTorch's layout and with the categories. */
export async function saveModel(
  model: Model,
  file: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const kinds = new Map<string, ParamKind>([...model.parameters].map(([name, { kind }]) => [name, kind]));
  await saveWeights(file, model.params, { kinds, categories: model.columns, folded: model.folded, metadata });
}
