/** Our side of step.mjs for a detector on a pyramid: a whole training step of ResNet-50, COCO's columns, stem, first layer and BatchNorms
 *  frozen, as torchvision finetunes it. Arguments: head (retinanet | fasterRcnn), batch, size. */
import { createDetection } from '../../dist/createTask.js';
import { openBackend } from '../../dist/engine/backend.js';
import { compile } from '../../dist/engine/compile.js';
import { inputsOf, parametersOf } from '../../dist/engine/engine.js';
import { initialValues } from '../../dist/graph/init.js';
import { createModel } from '../../dist/model.js';
import { planFreeze } from '../../dist/train/freeze.js';
import { buildPrograms } from '../../dist/train/programs.js';
import { answer } from './dialogue.mjs';
import { randomPixels } from './trainStep.mjs';

const [head, batchText, sizeText] = process.argv.slice(2);
const [batch, side] = [Number(batchText), Number(sizeText)];
const heads = {
  retinanet: { head: 'retinanet', numClasses: 91, anchorScale: 4, boxLoss: 'l1' },
  fasterRcnn: {
    head: 'fasterRcnn', numClasses: 90, anchorScale: 8, boxLoss: 'smoothL1', proposals: 1000, sampledBoxes: 512, sampling: 'random', units: 1024,
  },
}; // prettier-ignore
const task = createDetection({
  ...heads[head], backbone: 'resnet50', neck: 'fpn', channels: 256, size: [side, side], focal: { alpha: 0.25, gamma: 2 }, hardNegatives: 3,
  scoreThreshold: 0.05, candidates: 1000, nms: 'hard', nmsThreshold: 0.5, maxDetections: 100,
}); // prettier-ignore
const categories = Array.from({ length: heads[head].numClasses }, (_, i) => ({ id: i + 1, name: `class ${i}` }));
const model = createModel(task, { categories, seed: 1 });
const plan = planFreeze(model.backbone, model.parameters, { stages: 2, batchNorm: 'frozen' });
const isWeight = (name) => model.parameters.get(name).role === 'weight';
const update = {
  optimizer: { name: 'sgd', momentum: 0.9, nesterov: false },
  groupOf: (name) => ({ lr: 1, weightDecay: isWeight(name) ? 1e-4 : 0 }),
  clipNorm: null,
  clipValue: null,
  accumulate: 1,
};
const { train, derive } = buildPrograms(model, { batch, evaluateBatch: batch, plan, update, ema: false, split: false });
const parameters = parametersOf({ train });
const session = await compile({ train }, await openBackend(), derive(model.params));
const slots = [...parameters].filter(([, { role }]) => role === 'slot').map(([key, attrs]) => [key, initialValues(attrs, 1)]); // prettier-ignore
await session.write(new Map([...model.params, ...slots].filter(([key]) => parameters.has(key))));

// Six objects of 20 to 160 pixels an image.
const sides = [20, 32, 48, 64, 100, 160];
const boxes = Float32Array.from(sides.flatMap((w, i) => [i * 20, i * 18, i * 20 + w, i * 18 + w]));
const encoded = task.encode({ file: '', boxes, classes: sides.map((_, i) => i * 7), ignore: sides.map(() => false) });
const arrays = { float32: Float32Array, int32: Int32Array };
const feeds = { image: randomPixels(batch, side), lr: Float32Array.of(1e-3), seed: Int32Array.of(1, 2) };
const fed = inputsOf(train).map(({ name, dtype }) => {
  if (feeds[name]) return [name, feeds[name]];
  return [name, arrays[dtype].from(Array.from({ length: batch }, () => [...encoded[name]]).flat())];
});
await answer(() => session.run('train', Object.fromEntries(fed)));
