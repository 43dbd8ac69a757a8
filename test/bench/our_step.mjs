/** Our side of step.mjs; the same dialogue as torch_step.py. Arguments: mode (full | frozen | infer), batch, size. */
import { createInterface } from 'node:readline';
import { compile } from '../../dist/engine/compile.js';
import { openBackend } from '../../dist/engine/backend.js';
import { parametersOf } from '../../dist/engine/engine.js';
import { initialValues } from '../../dist/graph/init.js';
import { createModel } from '../../dist/model.js';
import { openPredictor } from '../../dist/predictor.js';
import { planFreeze } from '../../dist/train/freeze.js';
import { buildPrograms } from '../../dist/train/programs.js';

const [mode, batchText, sizeText, name = 'mobilenetv2_100'] = process.argv.slice(2);
const [batch, side] = [Number(batchText), Number(sizeText)];
const size = [side, side];
const categories = Array.from({ length: 80 }, (_, i) => ({ id: i + 1, name: `class ${i}` }));
const model = createModel({
  backbone: name, head: 'ssdlite', classLoss: 'sigmoid', lowestLevelAnchors: 6, categories, size, seed: 1,
  focal: { alpha: 0.25, gamma: 2 }, hardNegatives: 3, scoreThreshold: 0.001, nmsThreshold: 0.6, maxDetections: 100,
}); // prettier-ignore
const backend = await openBackend();
const image = new Float32Array(batch * side * side * 3).map(() => Math.random() * 255);

async function openStep() {
  if (mode === 'infer') {
    const session = await openPredictor(model, backend, { batch });
    return () => session.run('evaluate', { image });
  }
  const plan = planFreeze(model.backbone, model.parameters, { stages: mode === 'frozen' ? 'all' : 0, batchNorm: 'train' });
  const optimizer = { momentum: 0.9, nesterov: true, weightDecay: 4e-5, clipNorm: 10 };
  const { train, derive } = buildPrograms(model, { batch, evaluateBatch: batch, plan, optimizer, split: false });
  const parameters = parametersOf({ train });
  const session = await compile({ train }, backend);
  const slots = [...parameters].filter(([, { role }]) => role === 'slot').map(([key, attrs]) => [key, initialValues(attrs, 1)]);
  const values = new Map([...model.params, ...slots, ...derive(model.params)]);
  await session.write(new Map([...values].filter(([key]) => parameters.has(key))));
  const { labels: { length: anchors } } = model.task.blank(); // prettier-ignore
  const labels = new Int32Array(batch * anchors).map((_, i) => (i % 200 ? 0 : 1 + (i % 80)));
  const offsets = new Float32Array(labels.length * 4).map(() => Math.random());
  return () => session.run('train', { image, labels, offsets, lr: Float32Array.of(1e-3) });
}

const step = await openStep();
await step();
await step();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const times = [];
  for (let i = 0; i < Number(line); i++) {
    const start = performance.now();
    await step();
    times.push((performance.now() - start).toFixed(2));
  }
  console.log(times.join(' '));
}
