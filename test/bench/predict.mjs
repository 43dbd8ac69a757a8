// What reading images costs: images per second of predictAll over files, as a ratio to the bare session that is fed with
// pixels that were decoded before. Run it alone: node test/bench/predict.mjs <run or checkpoint> <folder of JPEGs> [images]
import { openBackend } from '../../dist/engine/backend.js';
import { describedTask } from '../../dist/evaluate/createTask.js';
import { openPredictor } from '../../dist/evaluate/predictor.js';
import { findInputs } from '../../dist/predict/inputs/findInputs.js';
import { openModel } from '../../dist/predict/openModel.js';
import { readView } from '../../dist/predict/readImage.js';
import { readImageHeader } from '../../dist/data/image/image.js';
import { createModel } from '../../dist/tasks/model.js';
import { programName } from '../../dist/tasks/feeds.js';

const ROUNDS = 5;
const [path, folder, count = '200'] = process.argv.slice(2);
const files = (await findInputs([folder])).map(({ path: file }) => file).slice(0, Number(count));
const opened = await openModel(path);
const { description } = opened;
const { task } = describedTask(description);
const { categories, images } = description;
const model = createModel(task, { categories, seed: 1, images }); // the time does not depend on the weights
const session = await openPredictor(model, await openBackend(), { batch: 1 });
const views = [];
for (const file of files) views.push(await readView(file, await readImageHeader(file), description));

const bare = async () => {
  for (const { pixels, size } of views) await session.run(programName('evaluate', size, task), { image: pixels });
};
const whole = async () => {
  for await (const { error } of opened.predictAll(files)) if (error) throw error;
};
const reading = async () => {
  for (const file of files) await readView(file, await readImageHeader(file), description);
};
const rates = { bare: [], whole: [], reading: [] };
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, run] of Object.entries({ bare, whole, reading })) {
    const began = performance.now();
    await run();
    if (round > 0) rates[name].push(files.length / ((performance.now() - began) / 1000)); // the first round warms up
  }
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const [alone, all, read] = [rates.bare, rates.whole, rates.reading].map(median);
console.log(
  `session alone ${alone.toFixed(1)} images/s, reading alone ${read.toFixed(1)}, predictAll ${all.toFixed(1)}`,
);
console.log(`predictAll / session alone: ${(all / alone).toFixed(3)}`);
process.exit();
