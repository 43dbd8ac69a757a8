/** Finetuning BCCD from the COCO weights beside PyTorch doing the same: the same net from the same weights (bccd_net.py), the same
 *  augmentation, targets, loss, schedule and scoring (bccd_peer.py), whole commands in alternating order.
 *
 *      PYTHON=path/to/venv/bin/python node test/bench/bccd.mjs path/to/bccd_voc [--seeds 1,2,3] [--epochs 20] [--keep DIR]
 *
 *  The venv needs `pip install torch==2.13.0 numpy pillow opencv-python-headless pycocotools safetensors`; `npm run build` first. Before any training it
 *  holds the two against each other (outputs, losses of three steps, targets, pixels) and ends with 1 where they differ; then it times
 *  PyTorch's two memory formats and takes the faster one. Prints AP and AP50 on `test` for each seed, mean ± deviation, and the times of the
 *  commands, our compiling and report and PyTorch's import included. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    epochs: { type: 'string', default: '20' },
    keep: { type: 'string' },
  },
});
const python = process.env.PYTHON ?? 'python3';
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const recipe = here('../../recipes/ssdlite-voc.yaml');
const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'bccd-')));
const TOLERANCE = { boxes: 1e-3, logits: 1e-3, losses: 1e-3, labels: 0, offsets: 1e-3, pixels: 1 };

/** Standard output, and seconds from start to exit. */
async function run(command, args) {
  const begin = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
  return { said, seconds: (performance.now() - begin) / 1000 };
}

const settings = (seed) =>
  [`data.root=${positionals[0]}`, 'data.invalidBoxes=drop', `train.epochs=${values.epochs}`, `seed=${seed}`].flatMap((setting) => ['--set', setting]); // prettier-ignore
const startOf = (seed) => join(folder, `start-${seed}`);
const peer = async (mode, seed, ...more) => {
  const { said, seconds } = await run(python, [here('bccd_peer.py'), mode, startOf(seed), ...more]);
  return { ...JSON.parse(said), wall: seconds };
};

async function ours(seed) {
  const out = join(folder, `ours-${seed}`);
  const { seconds } = await run(process.execPath, [
    here('../../dist/cli/main.js'),
    recipe,
    '--out',
    out,
    ...settings(seed),
  ]);
  const { metric, seconds: train } = JSON.parse(await readFile(join(out, 'metrics.json'), 'utf8'));
  return { AP: metric.AP, AP50: metric.AP50, train, wall: seconds };
}

async function theirs(seed, format) {
  const { AP, AP50, train, evaluate, wall } = await peer('train', seed, format);
  return { AP, AP50, train: train + evaluate, wall };
}

const seeds = values.seeds.split(',').map(Number);
for (const seed of seeds)
  await run(process.execPath, [here('bccd_start.mjs'), startOf(seed), recipe, ...(seed === seeds[0] ? ['--check'] : []), ...settings(seed)]); // prettier-ignore
const differences = await peer('check', seeds[0], 'channels_last');
for (const [name, most] of Object.entries(TOLERANCE)) {
  console.log(`${name}: ${differences[name].toPrecision(2)} apart at most`);
  if (!(differences[name] <= most)) process.exit(1);
}
const { plain, channels_last: last } = await peer('time', seeds[0]);
const format = last < plain ? 'channels_last' : 'plain';
console.log(`torch, ms a step: plain ${plain.toFixed(0)}, channels_last ${last.toFixed(0)}; ${format} is taken`);

const results = { ours: [], torch: [] };
for (const seed of seeds) {
  const turns = [['ours', () => ours(seed)], ['torch', () => theirs(seed, format)]]; // prettier-ignore
  for (const [name, train] of seed % 2 ? turns : turns.reverse()) {
    const result = await train();
    results[name].push(result);
    const { AP, AP50, train: trained, wall: whole } = result;
    console.log(`seed ${seed}  ${name.padEnd(5)}  AP ${AP.toFixed(4)}  AP50 ${AP50.toFixed(4)}  ${trained.toFixed(0)} s training and evaluating, ${whole.toFixed(0)} s in all`); // prettier-ignore
  }
}
const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const deviation = (numbers) =>
  Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean(numbers)) ** 2, 0) / Math.max(numbers.length - 1, 1));
for (const [name, all] of Object.entries(results)) {
  const said = ['AP', 'AP50'].map((key) => {
    const numbers = all.map((one) => one[key]);
    return `${key} ${mean(numbers).toFixed(4)} ± ${deviation(numbers).toFixed(4)}`;
  });
  console.log(
    `${name.padEnd(5)}  ${said.join('  ')}  ${mean(all.map(({ wall: whole }) => whole)).toFixed(0)} s in all`,
  );
}
const ratio = (key) => mean(results.ours.map((one) => one[key])) / mean(results.torch.map((one) => one[key]));
console.log(
  `ours / torch: ${ratio('wall').toFixed(2)} of the time in all, ${ratio('train').toFixed(2)} of training and evaluating`,
);
