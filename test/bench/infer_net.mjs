/** One side of infer.mjs, which asks it as step.mjs asks its processes. Arguments: net, batch, size, and the file of an ONNX
 *  model for onnxruntime-node alone; without one, our session computes the net. */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { compileOnnx } from '../../dist/engine/onnxRuntime/session.js';
import { fold } from '../../dist/graph/fold.js';
import { createGraph, input } from '../../dist/graph/builder.js';
import { initialValues } from '../../dist/graph/init.js';
import { parametersOf } from '../../dist/graph/program.js';
import { findBackbone } from '../../dist/models/registry.js';
import { normalise } from '../../dist/models/backbone.js';
import { answer } from './dialogue.mjs';
import { benchModel, randomPixels } from './trainStep.mjs';

const CLASSES = 1000;
const [name, batchText, sideText, file] = process.argv.slice(2);
const [batch, side] = [Number(batchText), Number(sideText)];
const pixels = randomPixels(batch, side);

/** The outputs of our net, and values of its parameters. */
function ourNet() {
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

async function openOurs() {
  const { outputs, params } = ourNet();
  const { roots, derive } = fold(Object.values(outputs));
  const program = { outputs: Object.fromEntries(Object.keys(outputs).map((key, i) => [key, roots[i]])) };
  const parameters = parametersOf({ program });
  const all = new Map([...params, ...derive(params)]);
  const session = await compileOnnx({ program }, new Map([...all].filter(([key]) => parameters.has(key))));
  return () => session.run('program', { image: pixels });
}

async function openTheirs() {
  const session = await ort.InferenceSession.create(readFileSync(file), { executionProviders: ['cpu'] });
  const image = new ort.Tensor('float32', pixels, [batch, 3, side, side]);
  return () => session.run({ image });
}

await answer(await (file === undefined ? openOurs() : openTheirs()));
