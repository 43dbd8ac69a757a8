/** What bccd_peer.py begins with: the recipe's settings, its images and boxes, the anchors, and the starting weights as ours has them before
 *  the first step (converted, BatchNorm statistics measured, class predictor drawn from the seed).
 *
 *      node test/bench/bccd_start.mjs DIRECTORY RECIPE [--check] [--set key=value …]
 *
 *  Writes start.json and start.safetensors; with --check also check.safetensors: a batch of `val` with what the network
 *  says of it before any step, three training batches and the losses of a step on each. */
import { join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { openDatasets } from '../../dist/data/dataset.js';
import { loadBatches } from '../../dist/data/pipeline/loader.js';
import { openBackend } from '../../dist/engine/backend.js';
import { saveModel } from '../../dist/train/modelWeights.js';
import { loadRecipe } from '../../dist/recipe/load.js';
import { recipeModel } from '../../dist/run/recipeModel.js';
import { taskOptions } from '../../dist/run/taskOptions.js';
import { imageFeed, targetFeeds } from '../../dist/tasks/feeds.js';
import { loadingOf } from '../../dist/train/replay.js';
import { openTrainer } from '../../dist/train/openTrainer.js';
import { placeAnchors } from '../../dist/tasks/detection/anchors.js';
import { ssdlite } from '../../dist/tasks/detection/detectors/ssdlite/ssdlite.js';
import { trainOptions } from '../../dist/run/trainOptions.js';
import { writeSafetensors } from '../../dist/weights/safetensorsFile.js';

const STEPS = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false }, set: { type: 'string', multiple: true, default: [] } },
});
const [directory, file] = positionals;
const recipe = await loadRecipe(file, { set: values.set });
const data = await openDatasets(recipe.data);
const backend = await openBackend({ engine: recipe.engine });
const options = trainOptions(recipe, taskOptions(recipe).images, directory);
await mkdir(directory, { recursive: true });
const trainer = await openTrainer(await recipeModel(recipe, data), data.train, backend, options);
const { model, session, schedule } = trainer;
await saveModel(model, join(directory, 'start.safetensors'));

const rows = ({ annotations }) =>
  annotations.map(({ file, width, height, boxes, classes }) => ({ file, width, height, boxes: [...boxes], classes }));
/** With images numbered as in `rows`. */
function truth({ toCoco, annotations }) {
  const { images, ...rest } = toCoco();
  const numbers = new Map(annotations.map(({ imageId }, i) => [imageId, i]));
  return {
    ...rest,
    images: images.map((image) => ({ ...image, id: numbers.get(image.id) })),
    annotations: rest.annotations.map((one) => ({ ...one, image_id: numbers.get(one.image_id) })),
  };
}
const { anchors } = ssdlite.create({
  ...recipe.model,
  ...recipe.evaluate,
  ...recipe.train,
  size: recipe.data.size,
  numClasses: data.categories.length,
});
const { epsilon, momentum } = model.backbone.style;
await writeFile(
  join(directory, 'start.json'),
  JSON.stringify({
    seed: recipe.seed,
    size: recipe.data.size,
    augment: recipe.data.augment,
    train: recipe.train,
    evaluate: recipe.evaluate,
    schedule,
    batchNorm: { epsilon, momentum },
    decays: [...model.parameters].flatMap(([name, { role }]) => (role === 'weight' ? [name] : [])),
    anchors: [...placeAnchors(anchors.levels)],
    anchorsPerCell: anchors.levels.map(({ shapes }) => shapes.length),
    categories: data.categories,
    parts: { train: rows(data.train), val: rows(data.val), test: rows(data.test) },
    truth: { val: truth(data.val), test: truth(data.test) },
  }),
);

if (values.check) {
  const { batch } = recipe.train;
  const tensors = new Map();
  const keep = (name, data, ...shape) => tensors.set(name, { shape: [batch, ...shape], data });
  const encode = (sample) => model.task.encode(sample);
  const feedsOf = ({ samples, encoded }) => ({
    image: imageFeed(samples, batch, model.size),
    ...targetFeeds(encoded, batch, model.task),
  });
  const keepFeeds = (name, { image, labels, offsets }) => {
    keep(`image.${name}`, image, ...model.size, 3);
    keep(`labels.${name}`, labels, labels.length / batch);
    keep(`offsets.${name}`, offsets, labels.length / batch, 4);
  };
  const plain = { ...loadingOf(trainer, options), augment: false, shuffle: false, encode };
  for await (const loaded of loadBatches(data.val, plain)) {
    const feeds = feedsOf(loaded);
    const { boxes, logits } = await session.run('evaluate', feeds);
    keepFeeds('val', feeds);
    keep('boxes', boxes, boxes.length / batch / 4, 4);
    keep('logits', logits, boxes.length / batch / 4, data.categories.length + 1);
    break;
  }
  const losses = [];
  for await (const loaded of loadBatches(data.train, { ...loadingOf(trainer, options), encode })) {
    keepFeeds(losses.length, feedsOf(loaded));
    const { results } = await trainer.step(loaded, schedule.peak);
    losses.push(results.loss[0]);
    if (losses.length === STEPS) break;
  }
  tensors.set('losses', { shape: [STEPS], data: Float32Array.from(losses) });
  await writeSafetensors(join(directory, 'check.safetensors'), tensors, {});
}
await trainer.dispose();
