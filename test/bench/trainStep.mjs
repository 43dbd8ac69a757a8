/** A whole training step of an SSD-lite on random pixels, as the trainer builds it; used by the benchmarks. */
import { createDetection } from '../../dist/evaluate/createTask.js';
import { detectorDefaults } from '../../dist/tasks/detection/detectorDefaults.js';
import { openBackend } from '../../dist/engine/backend.js';
import { compile } from '../../dist/engine/compile.js';
import { compileInference } from '../../dist/engine/inference/compileInference.js';
import { parametersOf } from '../../dist/graph/program.js';
import { initialValues } from '../../dist/graph/init.js';
import { createModel } from '../../dist/tasks/model.js';
import { planFreeze } from '../../dist/train/freeze.js';
import { buildPrograms } from '../../dist/train/programs.js';

export function benchModel(backbone, side) {
  const categories = Array.from({ length: 80 }, (_, i) => ({ id: i + 1, name: `class ${i}` }));
  const options = { lowestLevelAnchors: 6, size: [side, side], scoreThreshold: 0.001 };
  const task = createDetection({ ...detectorDefaults.ssdlite, ...options, backbone, numClasses: categories.length });
  return createModel(task, { categories, seed: 1 });
}

export const nesterov = { name: 'sgd', momentum: 0.9, nesterov: true };

export const randomPixels = (batch, side) => new Float32Array(batch * side * side * 3).map(() => Math.random() * 255);

/** A model's whole training step: the feeds but for the learning rate in, the results out. */
export async function openStep(model, batch, stages) {
  const backend = await openBackend();
  const plan = planFreeze(model.backbone, model.parameters, { stages, batchNorm: 'train' });
  const isWeight = (name) => model.parameters.get(name).role === 'weight';
  const groupOf = (name) => ({ lr: 1, weightDecay: isWeight(name) ? 4e-5 : 0 });
  const update = { optimizer: nesterov, groupOf, clipNorm: 10, clipValue: null, accumulate: 1 };
  const { train, prefix, derive } = buildPrograms(model, {
    batch,
    evaluateBatch: batch,
    plan,
    update,
    ema: false,
    split: stages === 0 ? 'never' : 'ifLarge',
  });
  const parameters = parametersOf({ train });
  const known = new Map([...model.params, ...derive(model.params)]);
  const among = (own) => new Map([...known].filter(([name]) => own.has(name)));
  const folded = new Map([...derive(model.params)].filter(([name]) => parameters.has(name)));
  const session = await compile({ train }, backend, folded);
  const frozen =
    prefix && (await compileInference({ prefix }, backend, among(parametersOf({ prefix })), { inTurn: true }));
  const slots = [...parameters]
    .filter(([, { role }]) => role === 'slot')
    .map(([key, attrs]) => [key, initialValues(attrs, 1)]);
  const values = new Map([...model.params, ...slots]);
  await session.write(new Map([...values].filter(([key]) => parameters.has(key))));
  const run = async ({ image, ...targets }) => {
    const pixels = frozen ? await frozen.run('prefix', { image }) : { image };
    return session.run('train', { ...pixels, ...targets, lr: Float32Array.of(1e-3) });
  };
  return { backend, run };
}

export async function openTrainStep({ backbone, side, batch, stages }) {
  const model = benchModel(backbone, side);
  const { backend, run } = await openStep(model, batch, stages);
  const { labels: { length: anchors } } = model.task.blank(); // prettier-ignore
  const labels = new Int32Array(batch * anchors).map((_, i) => (i % 200 ? 0 : 1 + (i % 80)));
  const offsets = new Float32Array(labels.length * 4).map(() => Math.random());
  const image = randomPixels(batch, side);
  return { backend, step: () => run({ image, labels, offsets }) };
}
