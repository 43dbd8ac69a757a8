import { bytesInMemory } from '../bytes/byteSource.js';
import type { CategoryId } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import type { Params } from '../graph/params.js';
import { sameShape, sizeOf } from '../graph/shapes.js';
import { classificationTask } from '../tasks/classification/classification.js';
import type { Classification } from '../tasks/classification/probabilities.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { createModel, type Model } from '../tasks/model.js';
import { decodeSafetensors } from '../weights/decode/safetensors.js';
import { fromTorch } from '../weights/layout.js';
import { matches } from '../weights/patterns.js';

const FILE = 'the checkpoint';
const refuse = (message: string, fix: string): FinetuneError =>
  new FinetuneError({ code: 'E_PERSONALISE_MODEL', message: `${FILE} ${message}`, fix });

/** Reads the classifier in a checkpoint of a run (checkpoints/best.safetensors). With names of other classes its last layer starts
 *  from 0, and knows nothing of them.
 *  Throws E_PERSONALISE_MODEL for other models, and E_SAFETENSORS_… for what is no such file. */
export async function readClassifier(bytes: Uint8Array, classes?: readonly string[]): Promise<Model<Classification>> {
  const { metadata, tensors } = await decodeSafetensors(bytesInMemory(bytes, FILE));
  const description = JSON.parse(metadata.model ?? 'null') as ModelDescription | null;
  if (description?.task !== 'classification')
    throw refuse(
      description === null ? 'does not describe its model' : `has a model for ${description.task}`,
      'give the checkpoints/best.safetensors of a run with task: classification',
    );
  const { backbone, size, images } = description;
  const known = classes?.map((name, i) => ({ id: i + 1, name })) ?? description.categories;
  const categories = known.map(({ id, name }) => ({ id: id as CategoryId, name }));
  const numClasses = categories.length;
  const network = classificationTask({ backbone, size, numClasses, labelSmoothing: 0, dropout: 0, stochasticDepth: 0 });
  const model = createModel({ ...network, evaluator: notScored }, { categories, seed: 1, images });
  const lastLayer = network.start?.predictor ?? [];
  const params: Params = new Map(
    [...model.parameters].map(([name, { kind, shape }]) => {
      const isNew = classes !== undefined && matches(lastLayer, name.replace(/[.]bias$/, '.weight'));
      if (isNew) return [name, { shape, data: new Float32Array(sizeOf(shape)) }];
      const tensor = tensors.get(name);
      const param =
        tensor && fromTorch(kind, { shape: tensor.shape, data: Float32Array.from(tensor.data as Float32Array) });
      if (param && sameShape(param.shape, shape)) return [name, param];
      throw refuse(`has no ${name} of [${shape.join(', ')}]`, 'export the checkpoint again: it is damaged');
    }),
  );
  return { ...model, params };
}

const notScored = (): never => {
  throw new Error('internal: a model that learns in a page is not scored');
};
