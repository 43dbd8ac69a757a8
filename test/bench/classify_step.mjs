/** Our side of step.mjs for a classifier: a whole training step at batch and size, 1,000 classes. Arguments: backbone, batch, size. */
import { openBackend } from '../../dist/engine/backend.js';
import { compile } from '../../dist/engine/compile.js';
import { parametersOf } from '../../dist/graph/program.js';
import * as b from '../../dist/graph/builder.js';
import { initialValues } from '../../dist/graph/init.js';
import { assignAll, batchNormUpdates, updates } from '../../dist/graph/update.js';
import { findBackbone } from '../../dist/models/registry.js';
import { normalise } from '../../dist/models/backbone.js';
import { answer } from './dialogue.mjs';
import { nesterov, randomPixels } from './trainStep.mjs';

const CLASSES = 1000;
const [backboneName, batchText, sizeText] = process.argv.slice(2);
const [batch, side] = [Number(batchText), Number(sizeText)];

const backbone = findBackbone(backboneName);
const graph = b.createGraph();
const image = b.input(graph, 'image', [batch, side, side, 3]);
const labels = b.input(graph, 'labels', [batch], 'int32');
const at = { graph, style: backbone.style, trainBatchNorm: () => true };
const logits = backbone.classifier(backbone.features(normalise(image, backbone), at), at, CLASSES);
const loss = b.mul(b.sum(b.softmaxCrossEntropy(logits, labels)), 1 / batch);
const trained = graph.nodes
  .filter(({ op, attrs }) => op === 'param' && attrs.role !== 'mean' && attrs.role !== 'variance')
  .map(({ outputs }) => outputs[0]);
const isWeight = new Map(trained.map(({ node }) => [node.attrs.name, node.attrs.role === 'weight']));
const { step } = updates(loss, trained, {
  optimizer: nesterov,
  lr: b.input(graph, 'lr', []),
  groupOf: (name) => ({ lr: 1, weightDecay: isWeight.get(name) ? 4e-5 : 0 }),
  clipNorm: null,
  clipValue: null,
  accumulate: 1,
});
const train = { outputs: { loss }, updates: [...step, ...assignAll(batchNormUpdates(graph))] };

const session = await compile({ train }, await openBackend());
await session.write(new Map([...parametersOf({ train })].map(([name, attrs]) => [name, initialValues(attrs, 1)])));
const feeds = {
  image: randomPixels(batch, side),
  labels: Int32Array.from({ length: batch }, (_, i) => (i * 7) % CLASSES),
  lr: Float32Array.of(1e-3),
};
await answer(() => session.run('train', feeds));
