// What reading images costs: images per second of predictAll over files, as a ratio to onnxruntime-node that is fed with
// pixels which were decoded before, one image at a time. `now / before` compares it with another checkout, if its folder
// is given. Run it alone: node test/bench/predict.mjs <run or checkpoint> <folder of JPEGs> [images] [rounds] [checkout]
import ort from 'onnxruntime-node';
import { pathToFileURL } from 'node:url';
import { describedTask } from '../../dist/evaluate/createTask.js';
import { buildPredictor } from '../../dist/evaluate/predictor.js';
import { emitOnnx } from '../../dist/onnx/emit.js';
import { encodeOnnx } from '../../dist/onnx/encode.js';
import { findInputs } from '../../dist/predict/inputs/findInputs.js';
import { openModel } from '../../dist/predict/openModel.js';
import { readView } from '../../dist/predict/readImage.js';
import { readImageHeader } from '../../dist/data/image/image.js';
import { createModel } from '../../dist/tasks/model.js';

const [path, folder, count = '200', rounds = '5', before] = process.argv.slice(2);
const files = (await findInputs([folder])).map(({ path: file }) => file).slice(0, Number(count));
const opened = await openModel(path);
const { description } = opened;
const { task } = describedTask(description);
const { categories, images } = description;
const model = createModel(task, { categories, seed: 1, images }); // the time does not depend on the weights
const { programs, values } = buildPredictor(model, { batch: 1 });
const onnx = emitOnnx('evaluate', programs.evaluate, values);
const session = await ort.InferenceSession.create(encodeOnnx(onnx), { graphOptimizationLevel: 'all' });
const [{ name, shape }] = onnx.inputs;
const read = async (file) => readView(file, await readImageHeader(file), description);
const decoded = (await Promise.all(files.map(read))).map(({ pixels }) => Float32Array.from(pixels));

const predictAll = async (one) => {
  for await (const { error } of one.predictAll(files)) if (error) throw error;
};
const runs = {
  bare: async () => {
    for (const pixels of decoded) await session.run({ [name]: new ort.Tensor('float32', pixels, shape) });
  },
  predictAll: () => predictAll(opened),
  reading: async () => {
    for (const file of files) await read(file);
  },
};
if (before) {
  const other = await import(pathToFileURL(`${before}/dist/predict/openModel.js`).href);
  const openedBefore = await other.openModel(path);
  runs.before = () => predictAll(openedBefore);
}
const measured = Object.fromEntries(Object.keys(runs).map((key) => [key, { rate: [], core: [], ratio: [] }]));
for (let round = 0; round <= Number(rounds); round++) {
  for (const [key, run] of Object.entries(runs)) {
    const [began, used] = [performance.now(), process.cpuUsage()];
    await run();
    const [ms, { user, system }] = [performance.now() - began, process.cpuUsage(used)];
    if (round === 0) continue; // the first round warms up
    const { rate, core, ratio } = measured[key];
    rate.push((files.length / ms) * 1000);
    core.push((user + system) / 1000 / files.length);
    ratio.push(rate.at(-1) / measured.bare.rate.at(-1));
  }
}
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
for (const [key, { rate, core, ratio }] of Object.entries(measured))
  console.log(
    `${key.padEnd(10)} ${median(rate).toFixed(1)} images/s, ${median(core).toFixed(1)} ms of a core for each, ` +
      `${median(ratio).toFixed(3)} of onnxruntime-node alone`,
  );
process.exit();
