/** Training step and inference beside PyTorch and ONNX Runtime: the same net, batch and input, in alternating rounds, one process each.
 *
 *      PYTHON=path/to/venv/bin/python node test/bench/step.mjs [case …] [--rounds 7]
 *
 *  Cases: full frozen infer1 infer8 rexnet ssdliteV3 retinanet fasterRcnn craft craftInfer craftLite craftLiteInfer.
 *
 *  The venv needs `pip install torch==2.13.0 torchvision timm onnx onnxruntime numpy`. Prints medians, peak memory, and ratios of ours to each;
 *  with VERBOSE=1 what the processes say on standard error, too. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' } },
});
const python = process.env.PYTHON ?? 'python3';
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const torch = (mode, variant, batch) => [
  `torch ${variant}`,
  python,
  [here('torch_step.py'), mode, variant, batch, '320'],
];
const ours = (mode, batch) => ['ours', process.execPath, [here('our_step.mjs'), mode, batch, '320']];
const timm = (model, variant) => [`timm ${variant}`, python, [here('timm_step.py'), model, variant, '8', '224']];
const classifier = (backbone) => ['ours', process.execPath, [here('classify_step.mjs'), backbone, '8', '224']];

const detector = (head, batch) => ['ours', process.execPath, [here('detector_step.mjs'), head, batch, '320']];
const torchvision = (head, batch, variant) => [
  `torchvision ${variant}`,
  python,
  [here('torchvision_step.py'), head, variant, batch, '320'],
];
const detectors = (head, batch) => ({
  steps: 2,
  peers: [detector(head, batch), torchvision(head, batch, 'plain'), torchvision(head, batch, 'channels_last')],
});
const text = (head, mode, ...size) => [
  ['ours', process.execPath, [here('text_step.mjs'), head, mode, ...size]],
  ...['plain', 'channels_last'].map((variant) => [
    `torch ${variant}`,
    python,
    [here('torch_text_step.py'), head, mode, variant, ...size],
  ]),
];

const cases = {
  ssdliteV3: detectors('ssdlite', '8'),
  retinanet: detectors('retinanet', '2'),
  fasterRcnn: detectors('fasterRcnn', '2'),
  full: {
    steps: 2,
    peers: [
      ours('full', '8'),
      torch('full', 'plain', '8'),
      torch('full', 'channels_last', '8'),
      torch('full', 'compile', '8'),
    ],
  },
  frozen: {
    steps: 3,
    peers: [ours('frozen', '8'), torch('frozen', 'channels_last', '8'), torch('frozen', 'compile', '8')],
  },
  infer1: {
    steps: 20,
    peers: [
      ours('infer', '1'),
      torch('infer', 'channels_last', '1'),
      torch('infer', 'compile', '1'),
      torch('infer', 'onnx', '1'),
    ],
  },
  infer8: {
    steps: 4,
    peers: [
      ours('infer', '8'),
      torch('infer', 'channels_last', '8'),
      torch('infer', 'compile', '8'),
      torch('infer', 'onnx', '8'),
    ],
  },
  rexnet: {
    steps: 3,
    peers: [classifier('rexnet_100'), timm('rexnet_100', 'plain'), timm('rexnet_100', 'channels_last')],
  },
  craft: { steps: 1, peers: text('craft', 'full', '4', '384', '384') },
  craftInfer: { steps: 2, peers: text('craft', 'infer', '1', '720', '1280') },
  craftLite: { steps: 2, peers: text('craft-lite', 'full', '4', '384', '384') },
  craftLiteInfer: { steps: 5, peers: text('craft-lite', 'infer', '1', '720', '1280') },
};

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

async function open([name, command, args]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', process.env.VERBOSE ? 'inherit' : 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (let line = await lines.next(); line.value !== 'ready'; line = await lines.next())
    if (line.done) throw new Error(`${name} did not start`);
  return { name, child, times: [], run: async (steps) => {
    child.stdin.write(`${steps}\n`);
    const { value: answer, done } = await lines.next();
    if (done) throw new Error(`${name} ended with ${child.signalCode ?? child.exitCode} in the middle of its steps`);
    return answer.split(' ').map(Number);
  } }; // prettier-ignore
}

for (const key of positionals.length > 0 ? positionals : Object.keys(cases)) {
  const { steps, peers } = cases[key];
  const open_ = [];
  for (const peer of peers) open_.push(await open(peer));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const worker of open_) worker.times.push(...(await worker.run(steps)));
  console.log(`\n${key} (${values.rounds} alternating rounds of ${steps})`);
  const own = median(open_[0].times);
  for (const { name, child, times } of open_) {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    const peak = Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024 / 1024;
    const middle = median(times);
    console.log(
      `  ${name.padEnd(20)} ${middle.toFixed(1).padStart(8)} ms   peak ${peak.toFixed(2)} GiB   ours / it ${(own / middle).toFixed(2)}`,
    );
    child.kill();
  }
}
