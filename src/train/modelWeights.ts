import { FinetuneError, type Problem } from '../errors.js';
import type { ParamKind } from '../graph/spec.js';
import { conventionsOf } from '../tasks/description/description.js';
import { descriptionDifferences, type Difference } from '../tasks/description/differences.js';
import { parseDescription } from '../tasks/description/schema.js';
import type { Score } from '../tasks/evaluator.js';
import type { Model } from '../tasks/model.js';
import { applyWeights, matchWeights, type LoadOptions, type WeightsReport } from '../weights/load.js';
import { matches } from '../weights/patterns.js';
import { DESCRIPTION, readWeights, type WeightsFile } from '../weights/read.js';
import { saveWeights } from '../weights/save.js';

export type ModelLoadOptions = Omit<LoadOptions, 'categories' | 'conventions'>;

/** Returns the model with the values of a weights file. It is as strict as loadWeights, and throws its errors; a file
 *  that describes another model is refused by E_WEIGHTS_MODEL with every difference that matters for `purpose`. The
 *  report names the others. */
export async function withWeights<Prediction, S extends Score>(
  model: Model<Prediction, S>,
  uri: string,
  options: ModelLoadOptions = {},
): Promise<{ readonly model: Model<Prediction, S>; readonly report: WeightsReport }> {
  return applyFile(model, await readWeights(uri, options), options);
}

/** The same with a file that has been read. */
export function applyFile<Prediction, S extends Score>(
  model: Model<Prediction, S>,
  file: WeightsFile,
  options: ModelLoadOptions = {},
): { readonly model: Model<Prediction, S>; readonly report: WeightsReport } {
  const { fitting, remarks, leftOut } = compareDescriptions(model, file, options);
  const loaded = matchWeights(fitting, [...model.parameters.values()], {
    ...options,
    categories: model.columns,
    conventions: conventionsOf(model.backbone),
  });
  const { report } = loaded;
  return {
    model: { ...model, params: applyWeights(model.params, loaded), folded: loaded.folded },
    report: { ...report, adapted: [...report.adapted, ...remarks], unused: [...report.unused, ...leftOut] },
  };
}

/** What of a file fits the model that it is loaded into, remarks for the report, and the names of what was left out
 *  because it belongs to another kind of head. Throws E_WEIGHTS_MODEL. */
function compareDescriptions(
  model: Model,
  file: WeightsFile,
  { purpose = 'start', allowMissing = [] }: ModelLoadOptions,
): { readonly fitting: WeightsFile; readonly remarks: readonly string[]; readonly leftOut: readonly string[] } {
  if (file.description === undefined) return { fitting: file, remarks: [], leftOut: [] };
  const described = parseDescription(file.description, file.source.file);
  const differences = descriptionDifferences(described, model.description);
  const ownHead = [...model.parameters.keys()].filter((name) => !name.startsWith('backbone.'));
  const headMayBeNew = ownHead.every((name) => matches(allowMissing, name));
  const refused = differences.filter(({ kind }) => {
    if (kind === 'input') return false;
    if (kind === 'backbone' || purpose === 'use') return true;
    return kind === 'head' && !headMayBeNew;
  });
  if (refused.length > 0) throw new FinetuneError(refused.map((one) => toProblem(one, file, purpose)));
  const otherHead = differences.some(({ kind }) => kind === 'head');
  const leftOut = otherHead ? [...file.params.keys()].filter((name) => !name.startsWith('backbone.')) : [];
  const params = new Map([...file.params].filter(([name]) => !leftOut.includes(name)));
  return { fitting: { ...file, params }, remarks: differences.map(describe), leftOut };
}

const describe = ({ path, file, model }: Difference): string => `${path}: ${file} in the file, ${model} in this model`;

function toProblem(difference: Difference, { source }: WeightsFile, purpose: 'start' | 'use'): Problem {
  const fixes = {
    backbone: 'a backbone means the same only with its own weights: choose the one of the file',
    head: 'to start from its backbone alone, set model.allowMissing: [neck.*, head.*] (for a classifier also the name of its last layer)',
    headOption: 'choose the option of the file',
    input: undefined,
  };
  const inUse = 'openModel builds the model that the file describes; or create the model with the same options';
  const fix = purpose === 'use' ? inUse : fixes[difference.kind];
  const message = `the weights belong to another model: ${describe(difference)}`;
  return { code: 'E_WEIGHTS_MODEL', message, where: { file: source.file }, ...(fix && { fix }) };
}

/** The entry of a weights file's metadata that describes the model. */
export const descriptionEntry = ({ description }: Pick<Model, 'description'>): Readonly<Record<string, string>> => ({
  [DESCRIPTION]: JSON.stringify(description),
});

/** Writes the model's values atomically as safetensors, in PyTorch's layout, with the description of the model. */
export async function saveModel(
  model: Model,
  file: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const kinds = new Map<string, ParamKind>([...model.parameters].map(([name, { kind }]) => [name, kind]));
  await saveWeights(file, model.params, {
    kinds,
    categories: model.columns,
    folded: model.folded,
    metadata: { ...descriptionEntry(model), ...metadata },
  });
}
