/** Inference on ONNX Runtime: our emission beside PyTorch's own export of the same net, in alternating rounds in one process.
 *
 *      PYTHON=path/to/venv/bin/python node test/bench/infer.mjs [ssdlite | a net of timm …] [--rounds 15] [--batches 1,8]
 *
 *  The venv needs `pip install torch==2.13.0 torchvision timm onnx`. Prints medians in milliseconds and their ratio. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { compileOnnx } from '../../dist/engine/onnxRuntime/session.js';
import { fold } from '../../dist/graph/fold.js';
import { createGraph, input } from '../../dist/graph/builder.js';
import { initialValues } from '../../dist/graph/init.js';
import { parametersOf } from '../../dist/graph/program.js';
import { findBackbone } from '../../dist/models/registry.js';
import { normalise } from '../../dist/models/backbone.js';
import { benchModel, randomPixels } from './trainStep.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '15' }, batches: { type: 'string', default: '1,8' } },
});
const CLASSES = 1000;
const sizeOf = (name) => (name === 'ssdlite' ? 320 : findBackbone(name).resolution);

/** The outputs of our net, and values of its parameters. */
function ourNet(name, batch, side) {
  if (name === 'ssdlite') {
    const { task, params } = benchModel('mobilenetv2_100', side);
    const size = [side, side];
    return { outputs: task.build({ batch, size, trainBatchNorm: () => false }).outputs, params };
  }
  const backbone = findBackbone(name);
  const graph = createGraph();
  const at = { graph, style: backbone.style, trainBatchNorm: () => false };
  const image = input(graph, 'image', [batch, side, side, 3]);
  const logits = backbone.classifier(backbone.features(normalise(image, backbone), at), at, CLASSES);
  const parameters = parametersOf({ all: { outputs: { logits } } });
  const params = new Map([...parameters].map(([key, attrs]) => [key, initialValues(attrs, 1)]));
  return { outputs: { logits }, params };
}

async function openOurs(name, batch, side) {
  const { outputs, params } = ourNet(name, batch, side);
  const { roots, derive } = fold(Object.values(outputs));
  const program = { outputs: Object.fromEntries(Object.keys(outputs).map((key, i) => [key, roots[i]])) };
  const parameters = parametersOf({ program });
  const all = new Map([...params, ...derive(params)]);
  const session = await compileOnnx({ program }, new Map([...all].filter(([key]) => parameters.has(key))));
  const image = randomPixels(batch, side);
  return { run: () => session.run('program', { image }), close: () => session.dispose() };
}

async function openTheirs(name, batch, side) {
  const folder = mkdtempSync(join(tmpdir(), 'finetune-infer-'));
  const file = join(folder, 'net.onnx');
  const script = fileURLToPath(new URL('torch_onnx.py', import.meta.url));
  execFileSync(process.env.PYTHON ?? 'python3', [script, name, batch, side, file], { stdio: ['ignore', 2, 2] });
  const session = await ort.InferenceSession.create(readFileSync(file), { executionProviders: ['cpu'] });
  rmSync(folder, { recursive: true });
  const image = new ort.Tensor('float32', randomPixels(batch, side), [batch, 3, side, side]);
  return { run: () => session.run({ image }), close: () => session.release() };
}

async function secondsOf({ run }) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

for (const name of positionals.length > 0 ? positionals : ['ssdlite', 'mobilenetv3_large_100']) {
  for (const batch of values.batches.split(',').map(Number)) {
    const side = sizeOf(name);
    const nets = [await openOurs(name, batch, side), await openTheirs(name, batch, side)];
    for (const net of [...nets, ...nets]) await net.run();
    const times = [[], []];
    const rounds = Number(values.rounds) * Math.max(1, Math.round(8 / batch));
    for (let i = 0; i < rounds; i++) for (const [k, net] of nets.entries()) times[k].push(await secondsOf(net));
    const [ours, theirs] = times.map(median);
    const ratio = median(times[0].map((time, i) => time / times[1][i]));
    console.log(
      `${name} batch ${batch} at ${side}: ours ${ours.toFixed(1)} ms, torch's export ${theirs.toFixed(1)} ms, ratio ${(ours / theirs).toFixed(3)} (median of pairs ${ratio.toFixed(3)})`,
    );
    for (const net of nets) await net.close();
  }
}
