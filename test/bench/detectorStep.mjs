/** A whole training step of a detector as the trainer builds it, on random pixels, targets made anew from boxes at each step as torchvision does;
 *  used by the benchmarks. */
import { createDetection } from '../../dist/evaluate/createTask.js';
import { openBackend } from '../../dist/engine/backend.js';
import { compile } from '../../dist/engine/compile.js';
import { inputsOf, parametersOf } from '../../dist/graph/program.js';
import { initialValues } from '../../dist/graph/init.js';
import { createModel } from '../../dist/tasks/model.js';
import { planFreeze } from '../../dist/train/freeze.js';
import { buildPrograms } from '../../dist/train/programs.js';
import { targetFeeds } from '../../dist/tasks/feeds.js';
import { randomPixels } from './trainStep.mjs';

/** Sides of the objects of an image, pixels, for an input of 320. */
const SIDES = [20, 32, 48, 64, 100, 160];

/** detector: createDetection's options but for the size; freeze: planFreeze's. */
export async function openDetectorStep({ detector, freeze, batch, side, weightDecay }) {
  const task = createDetection({ ...detector, size: [side, side] });
  const categories = Array.from({ length: detector.numClasses }, (_, i) => ({ id: i + 1, name: `class ${i}` }));
  const model = createModel(task, { categories, seed: 1 });
  const plan = planFreeze(model.backbone, model.parameters, freeze);
  const isWeight = (name) => model.parameters.get(name).role === 'weight';
  const update = {
    optimizer: { name: 'sgd', momentum: 0.9, nesterov: false },
    groupOf: (name) => ({ lr: 1, weightDecay: isWeight(name) ? weightDecay : 0 }),
    clipNorm: null,
    clipValue: null,
    accumulate: 1,
  };
  const { train, derive } = buildPrograms(model, {
    batch,
    evaluateBatch: batch,
    plan,
    update,
    ema: false,
    split: 'never', // the frozen stages are timed as a part of the step
  });
  const parameters = parametersOf({ train });
  const backend = await openBackend();
  const session = await compile({ train }, backend, derive(model.params));
  const slots = [...parameters]
    .filter(([, { role }]) => role === 'slot')
    .map(([key, attrs]) => [key, initialValues(attrs, 1)]);
  await session.write(new Map([...model.params, ...slots].filter(([key]) => parameters.has(key))));

  const corners = SIDES.flatMap((width, i) => [i * 20, i * 18, i * 20 + width, i * 18 + width]);
  const sample = {
    file: '',
    boxes: Float32Array.from(corners, (value) => (value * side) / 320),
    classes: SIDES.map((_, i) => (i * 7) % detector.numClasses),
    ignore: SIDES.map(() => false),
  };
  const given = { image: randomPixels(batch, side), lr: Float32Array.of(1e-6), seed: Int32Array.of(1, 2) };
  const wanted = inputsOf(train).map(({ name }) => name);
  const step = () => {
    const encoded = Array.from({ length: batch }, () => task.encode(sample));
    const feeds = { ...given, ...targetFeeds(encoded, batch, task) };
    return session.run('train', Object.fromEntries(wanted.map((name) => [name, feeds[name]])));
  };
  return { backend, step };
}
