/** COCO evaluation, whole processes side by side: the command `finetune score coco`, pycocotools-js alone, pycocotools, faster-coco-eval, hotcoco.
 *
 *      npm run build && node test/bench/coco.mjs [--runs 3] [--images 5000] [--python /opt/peers/venv/bin/python]
 *
 *  Makes a problem of val2017's size from a seed (5,000 images, 36,000 boxes, 80 classes, 100 detections an image, numbers printed as a
 *  detector's float32 tensors are), then runs the peers in turns, so that a busy minute hits all of them. A run is a whole process:
 *  start, read both files, evaluate, accumulate, summarize. Prints medians, ratios to ours and peak memory; fails if scores differ. */
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    images: { type: 'string', default: '5000' },
    python: { type: 'string', default: '/opt/peers/venv/bin/python' },
    peers: { type: 'string', default: 'pycocotools,faster-coco-eval,hotcoco' },
    keep: { type: 'boolean', default: false },
  },
});
const NUM_CLASSES = 80;
const DETECTIONS = 100; // an image
const BOXES = 7.2; // an image, on average: val2017 has 36,781 in 5,000

/** mulberry32: a few lines, and the same numbers everywhere. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

async function makeProblem(folder, numImages) {
  const random = randomNumbers(2017);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const uniform = (low, high) => low + (high - low) * random();
  const anyClass = () => 1 + Math.floor(random() * NUM_CLASSES);
  const anyBox = () => [uniform(0, 600), uniform(0, 440), Math.exp(uniform(1.5, 5.5)), Math.exp(uniform(1.5, 5.5))];
  const cents = (value) => Math.round(value * 100) / 100;

  const images = Array.from({ length: numImages }, (_, i) => ({
    id: 139 + i * 37,
    width: 640,
    height: 480,
    file_name: `${i}.jpg`,
  }));
  const categories = Array.from({ length: NUM_CLASSES }, (_, i) => ({ id: i + 1, name: `class ${i}` }));
  const annotations = [];
  const gt = join(folder, 'instances.json');
  const dt = join(folder, 'results.json');
  const out = createWriteStream(dt);
  let separator = '[';
  for (const { id: image_id } of images) {
    const own = [];
    const count = Math.floor(uniform(0, 2 * BOXES + 1));
    for (let i = 0; i < count; i++) {
      const category_id = i === 0 || random() < 0.4 ? anyClass() : own[i - 1].category_id;
      const bbox = anyBox().map(cents);
      const iscrowd = random() < 0.01 ? 1 : 0;
      own.push({
        id: annotations.length + i + 1,
        image_id,
        category_id,
        bbox,
        area: cents(bbox[2] * bbox[3] * 0.7),
        iscrowd,
      });
    }
    annotations.push(...own);
    const lines = [];
    for (let i = 0; i < DETECTIONS; i++) {
      const near = own.length > 0 && random() < 0.4 ? own[Math.floor(random() * own.length)] : undefined;
      const spread = uniform(0, 0.25);
      const [x, y, w, h] = near?.bbox ?? anyBox();
      const shake = near ? spread : 0;
      const bbox = [
        x + w * shake * normal(),
        y + h * shake * normal(),
        w * Math.exp(shake * normal()),
        h * Math.exp(shake * normal()),
      ];
      const score = near ? Math.min(0.999, Math.max(0.001, 1 - 2 * spread + 0.15 * normal())) : 1 - random() ** (1 / 6);
      const category_id = near && random() < 0.9 ? near.category_id : anyClass();
      lines.push(JSON.stringify({ image_id, category_id, bbox: bbox.map(Math.fround), score: Math.fround(score) }));
    }
    if (!out.write(separator + lines.join(', '))) await once(out, 'drain');
    separator = ', ';
  }
  out.end(']');
  await once(out, 'close');
  writeFileSync(gt, JSON.stringify({ images, annotations, categories }));
  console.log(`${images.length} images, ${annotations.length} boxes, ${images.length * DETECTIONS} detections`);
  return [gt, dt];
}

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const commandOf = (peer) =>
  peer === 'finetune score coco'
    ? [process.execPath, here('coco_command.mjs')]
    : peer === 'pycocotools-js'
      ? [process.execPath, here('coco_ours.mjs')]
      : [options.python, here('coco_peer.py'), peer];

function runOnce(peer, files) {
  const [program, ...args] = commandOf(peer);
  const start = performance.now();
  const { stdout, stderr, status } = spawnSync(program, [...args, ...files], { encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${peer} failed\n${stderr}`);
  return { seconds, ...JSON.parse(stdout.trim().split('\n').at(-1)) };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const folder = mkdtempSync(join(tmpdir(), 'coco-bench-'));
try {
  const files = await makeProblem(folder, Number(options.images));
  const peers = ['pycocotools-js', 'finetune score coco', ...options.peers.split(',').filter(Boolean)];
  const runs = new Map(peers.map((peer) => [peer, []]));
  for (let i = 0; i < Number(options.runs); i++) for (const peer of peers) runs.get(peer).push(runOnce(peer, files));
  const ours = runs.get('pycocotools-js');
  const times = ours.map(({ seconds }) => seconds);
  console.log('                     median s   CPU s   × ours   peak MB       AP');
  for (const [peer, list] of runs) {
    const seconds = median(list.map((run) => run.seconds));
    const cpu = median(list.map((run) => run.cpu));
    const memory = Math.max(...list.map((run) => run.peakMB));
    const columns = [
      seconds.toFixed(2),
      cpu.toFixed(2),
      (seconds / median(times)).toFixed(2),
      memory.toFixed(0),
      list[0].stats[0].toFixed(6),
    ];
    console.log(peer.padEnd(20) + columns.map((text) => text.padStart(9)).join(''));
    const worst = Math.max(...list[0].stats.slice(0, 12).map((value, i) => Math.abs(value - ours[0].stats[i])));
    if (worst > 1e-9) throw new Error(`${peer} disagrees by ${worst}`);
  }
} finally {
  if (options.keep) console.log(folder);
  else rmSync(folder, { recursive: true });
}
