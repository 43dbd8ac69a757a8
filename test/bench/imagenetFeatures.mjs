/** A quick classifier for benchmarks that train often: a softmax layer on the outputs of EfficientNet-Lite0 with ImageNet weights, which runs once over
 *  each image. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModel, openModel } from '../../dist/index.js';

const STEPS = 200;
const RATE = 0.5;
const DECAY = 0.001;

/** The images of a part, which has a folder for each class. */
export async function filesOf(source, part) {
  const classes = (await readdir(join(source, part))).sort();
  const lists = classes.map(async (name) =>
    (await readdir(join(source, part, name))).map((file) => join(source, part, name, file)),
  );
  return (await Promise.all(lists)).flat();
}

/** The outputs of the ImageNet classifier for each photo, standardised. */
export async function featuresOf(files) {
  const folder = await mkdtemp(join(tmpdir(), 'next-'));
  const made = await createModel({
    task: 'classification',
    backbone: 'tf_efficientnet_lite0',
    classes: 1000,
    size: [224, 224],
  });
  await made.load('efficientnet_lite0.google');
  const file = join(folder, 'imagenet.safetensors');
  await made.save(file);
  made.dispose();
  const model = await openModel(file);
  const rows = [];
  for (const photo of files) rows.push(Object.values(await model.predictRaw(photo))[0].data);
  model.dispose();
  await rm(folder, { recursive: true });
  return new Map(
    files.map((photo, i) => {
      const mean = rows[i].reduce((sum, x) => sum + x, 0) / rows[i].length;
      const centred = Array.from(rows[i], (x) => x - mean);
      const length = Math.hypot(...centred);
      return [photo, Float64Array.from(centred, (x) => (3 * x) / length)];
    }),
  );
}

const softmax = (logits) => {
  const most = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - most));
  const sum = powers.reduce((total, x) => total + x, 0);
  return powers.map((x) => x / sum);
};

/** Trains a softmax layer on images whose class `classOf` tells; returns what gives the probabilities of an image's classes. */
export function trainLayer(labelled, { features, classes, classOf }) {
  const size = features.get(labelled[0]).length;
  const weights = classes.map(() => new Float64Array(size));
  const biases = classes.map(() => 0);
  const predict = (photo) => {
    const x = features.get(photo);
    const logit = (row, k) => {
      let sum = biases[k];
      for (let j = 0; j < size; j++) sum += x[j] * row[j];
      return sum;
    };
    return softmax(weights.map(logit));
  };
  for (let step = 0; step < STEPS; step++) {
    const errors = labelled.map((photo) =>
      predict(photo).map((p, k) => (p - (classOf(photo) === k ? 1 : 0)) / labelled.length),
    );
    weights.forEach((row, k) => {
      for (let j = 0; j < size; j++) row[j] -= RATE * DECAY * row[j];
      labelled.forEach((photo, i) => {
        const x = features.get(photo);
        for (let j = 0; j < size; j++) row[j] -= RATE * errors[i][k] * x[j];
        biases[k] -= RATE * errors[i][k];
      });
    });
  }
  return predict;
}
