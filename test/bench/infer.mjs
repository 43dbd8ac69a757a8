/** Inference on ONNX Runtime: our session beside onnxruntime-node alone on PyTorch's own export of the same net, a process for
 *  each, in alternating rounds.
 *
 *      PYTHON=path/to/venv/bin/python node test/bench/infer.mjs [ssdlite | a net of timm …] [--rounds 12] [--batches 1,8]
 *
 *  The venv needs `pip install torch==2.13.0 torchvision timm onnx`. Prints medians in milliseconds and their ratio. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findBackbone } from '../../dist/models/registry.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '12' }, batches: { type: 'string', default: '1,8' } },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** A process of infer_net.mjs, once it is ready. */
async function start(...args) {
  const child = spawn(process.execPath, [here('infer_net.mjs'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () =>
    (await lines.next()).value ?? Promise.reject(new Error('a process of infer_net.mjs has ended'));
  await next();
  const ask = async (repetitions) => {
    child.stdin.write(`${repetitions}\n`);
    return (await next()).split(' ').map(Number);
  };
  return { ask, end: () => child.kill() };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

const folder = mkdtempSync(join(tmpdir(), 'finetune-infer-'));
for (const name of positionals.length > 0 ? positionals : ['ssdlite', 'mobilenetv3_large_100']) {
  for (const batch of values.batches.split(',')) {
    const size = name === 'ssdlite' ? '320' : String(findBackbone(name).resolution);
    const file = join(folder, 'net.onnx');
    const script = [here('torch_onnx.py'), name, batch, size, file];
    execFileSync(process.env.PYTHON ?? 'python3', script, { stdio: ['ignore', 2, 2] });
    const nets = [await start(name, batch, size), await start(name, batch, size, file)];
    const times = [[], []];
    const repetitions = Math.ceil(40 / Number(batch));
    for (let i = 0; i < Number(values.rounds); i++) {
      for (const [k, net] of nets.entries()) times[k].push(...(await net.ask(repetitions + 1)).slice(1));
    }
    for (const net of nets) net.end();
    const [ours, theirs] = times.map(median);
    console.log(
      `${name} batch ${batch} at ${size}: ours ${ours.toFixed(2)} ms, torch's export ${theirs.toFixed(2)} ms, ratio ${(ours / theirs).toFixed(3)}`,
    );
  }
}
rmSync(folder, { recursive: true });
