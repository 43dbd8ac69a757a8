/** Images per second of two workers on one core each beside one process on one core: SSD-lite at 320 pixels, batch 8 each, whole
 *  commands in alternating order.
 *
 *      npm run build && node test/bench/workers.mjs [--rounds 3] [--steps 10] [--set key=value …]
 *
 *  Needs Linux (taskset) and two cores that nothing else uses. Each run trains a few steps on drawn images; the speed is that of the median step
 *  of metrics.jsonl without the first two. Prints the speed of every run, the medians and their ratio. */
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
/** Images per second of so many workers, each on a core of its own. */
async function speedOf(workers) {
  const directory = join(folder, `run-${runs++}`);
  const list = Array.from({ length: workers }, (_, rank) => `127.0.0.1:${7400 + 10 * (runs % 50) + rank}`);
  const children = list.map((_, rank) => {
    const own = workers > 1 ? ['--workers', list.join(), '--rank', String(rank)] : [];
    const words = ['-c', String(rank), process.execPath, program, recipe, '--out', directory, '--threads', '1'];
    return spawn('taskset', [...words, ...settings, ...own], { stdio: ['ignore', 'ignore', 'pipe'] });
  });
  await Promise.all(
    children.map(async (child) => {
      let said = '';
      child.stderr.on('data', (text) => (said += text));
      const code = await new Promise((resolve) => child.on('close', resolve));
      if (code !== 0) throw new Error(`a worker ended with ${code}: ${said}`);
    }),
  );
  const lines = (await readFile(join(directory, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return median(
    lines.filter(({ type, step }) => type === 'step' && step > 2).map(({ imagesPerSecond }) => imagesPerSecond),
  );
}

const speeds = { 1: [], 2: [] };
for (let round = 0; round < Number(values.rounds); round++) {
  for (const workers of [1, 2]) {
    const speed = await speedOf(workers);
    speeds[workers].push(speed);
    console.log(`${workers} worker${workers > 1 ? 's' : ''}: ${speed.toFixed(2)} images/s`);
  }
}
const [alone, pair] = [median(speeds[1]), median(speeds[2])];
console.log(`medians ${alone.toFixed(2)} and ${pair.toFixed(2)} images/s: ${(pair / alone).toFixed(2)} x`);
await rm(folder, { recursive: true });
