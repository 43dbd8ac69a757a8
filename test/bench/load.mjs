/** How fast the loader makes training images, by what augmentation does to them, and what of it the main thread has to do.
 *
 *      npm run build && node test/bench/load.mjs path/to/coco [--size 320] [--batch 8] [--rounds 3]
 *
 *  The folder has COCO's layout: annotations/instances_train2017.json, images/train2017 (and val2017). Prints medians over the rounds:
 *  images a second with nothing else running, CPU time an image over all threads, and the main thread's share of it,
 *  which is what a training step has to wait for. */
import { parseArgs } from 'node:util';
import { openDatasets } from '../../dist/data/dataset.js';
import { loadBatches } from '../../dist/data/pipeline/loader.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '320' },
    batch: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
  },
});
const part = (name) => ({ annotations: `annotations/instances_${name}2017.json`, images: `images/${name}2017` });
const { train } = await openDatasets({
  format: 'coco',
  root: positionals[0],
  train: part('train'),
  val: part('val'),
  invalidBoxes: 'drop',
});
const flip = { kind: 'boxes', flip: 0.5 };
const cases = {
  flip,
  'SSD (photometric, expand, crop)': { ...flip, photometric: true, expand: 0.5, iouCrop: true },
  scale: { ...flip, scale: [0.5, 2] },
  blur: { ...flip, blur: 1 },
  mosaic: { ...flip, mosaic: 1 },
  mixup: { ...flip, mixup: 1 },
  copyPaste: { ...flip, copyPaste: 1 },
  cutout: { ...flip, cutout: 1 },
  'all, as in a recipe': {
    ...{ ...flip, photometric: true, scale: [0.5, 2], blur: 0.1 },
    ...{ mosaic: 0.5, mixup: 0.2, copyPaste: 0.3, cutout: 0.3 },
  },
};

async function measure(augment, epoch) {
  const size = [Number(options.size), Number(options.size)];
  const rounds = Number(options.rounds);
  const start = performance.now();
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  let images = 0;
  const loading = { batch: Number(options.batch), size, augment, shuffle: true, epoch, epochs: rounds, seed: 1 };
  for await (const { samples } of loadBatches(train, loading)) images += samples.length;
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(loop);
  return { rate: images / seconds, cpu: (user + system) / 1000 / images, main: active / images };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const results = new Map(Object.keys(cases).map((name) => [name, []]));
for (let round = 0; round < Number(options.rounds); round++)
  for (const [name, augment] of Object.entries(cases)) results.get(name).push(await measure(augment, round));

console.log(`${train.annotations.length} images`);
console.log('                                  images/s   CPU ms/image   main thread ms/image');
for (const [name, list] of results) {
  const at = (key) => median(list.map((result) => result[key]));
  const columns = [
    at('rate').toFixed(0).padStart(10),
    at('cpu').toFixed(2).padStart(15),
    at('main').toFixed(2).padStart(23),
  ];
  console.log(name.padEnd(32) + columns.join(''));
}
