/** Images per second of two workers on one core each, of two processes on one core each that do not know of each other (what
 *  the machine has to give), and of one process on one core: SSD-lite at 320 pixels, batch 8 each, whole commands in alternating
 *  order.
 *
 *      npm run build && node test/bench/workers.mjs [--rounds 3] [--steps 10] [--set key=value …]
 *
 *  Needs Linux (taskset) and two cores that nothing else uses. Each run trains a few steps on drawn images; the speed is that of the median step
 *  of metrics.jsonl without the first two. Prints the speed of every run, the medians and the ratios
 *  of those of one round. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '10' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'workers-'));
const recipe = join(folder, 'ssdlite.yaml');
await writeFile(
  recipe,
  `
task: detection
data: { format: synthetic, root: ${join(folder, 'data')}, train: { images: 200 }, val: { images: 2 }, size: 320 }
model: { head: ssdlite, backbone: tf_mobilenetv2_100 }
train: { epochs: 1, batch: 8, stepsPerEpoch: ${values.steps}, logEvery: 1, warmup: { epochs: 0 } }
report: { images: 0 }
`,
);
const settings = values.set.flatMap((setting) => ['--set', setting]);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

let runs = 0;
/** Images per second of so many processes, each on a core of its own: workers of one run, or `apart` in runs of their own. */
async function speedOf(count, apart = false) {
  const own = Array.from({ length: count }, (_, core) => join(folder, apart ? `run-${runs}-${core}` : `run-${runs}`));
  const list = own.map((_, rank) => `127.0.0.1:${7400 + 10 * (runs % 50) + rank}`);
  runs++;
  const children = own.map((directory, rank) => {
    const workers = count > 1 && !apart ? ['--workers', list.join(), '--rank', String(rank)] : [];
    const words = ['-c', String(rank), process.execPath, program, recipe, '--out', directory, '--threads', '1'];
    return spawn('taskset', [...words, ...settings, ...workers], { stdio: ['ignore', 'ignore', 'pipe'] });
  });
  await Promise.all(
    children.map(async (child) => {
      let said = '';
      child.stderr.on('data', (text) => (said += text));
      const code = await new Promise((resolve) => child.on('close', resolve));
      if (code !== 0) throw new Error(`a process ended with ${code}: ${said}`);
    }),
  );
  const speeds = await Promise.all([...new Set(own)].map(speedIn));
  return speeds.reduce((sum, speed) => sum + speed, 0);
}

/** Images per second of the median step of a run but the first two. */
async function speedIn(directory) {
  const lines = (await readFile(join(directory, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const steps = lines.filter(({ type, step }) => type === 'step' && step > 2);
  return median(steps.map(({ imagesPerSecond }) => imagesPerSecond));
}

const CASES = [
  ['one process', 1],
  ['two workers', 2],
  ['two processes apart', 2, true],
];
const rounds = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const speeds = [];
  for (const [name, count, apart] of CASES) {
    speeds.push(await speedOf(count, apart));
    console.log(`${name}: ${speeds.at(-1).toFixed(2)} images/s`);
  }
  rounds.push(speeds);
}
for (const [i, [name]] of CASES.entries()) {
  const ratio = median(rounds.map((speeds) => speeds[i] / speeds[0]));
  console.log(
    `${name}: median ${median(rounds.map((speeds) => speeds[i])).toFixed(2)} images/s, ${ratio.toFixed(2)} x`,
  );
}
await rm(folder, { recursive: true });
