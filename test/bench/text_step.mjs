/** Our side of step.mjs for scene text; the same dialogue as torch_text_step.py. Arguments: head, mode (full | infer), batch, height, width. */
import { createText } from '../../dist/evaluate/createTask.js';
import { openBackend } from '../../dist/engine/backend.js';
import { createModel } from '../../dist/tasks/model.js';
import { openPredictor } from '../../dist/evaluate/predictor.js';
import { answer } from './dialogue.mjs';
import { openStep } from './trainStep.mjs';

const [head, mode, ...numbers] = process.argv.slice(2);
const [batch, height, width] = numbers.map(Number);
const size = [height, width];
const task = createText({
  head,
  backbone: 'mobilenetv2_100',
  loss: 'hardNegatives',
  negatives: 3,
  size,
  evaluateSize: size,
  thresholds: { text: 0.7, lowText: 0.4, link: 0.4 },
  protocol: 'iou',
});
const model = createModel(task, { categories: [], seed: 1 });
const image = new Float32Array(batch * height * width * 3).map(() => Math.random() * 255);

if (mode === 'infer') {
  const session = await openPredictor(model, await openBackend(), { batch });
  await answer(() => session.run('evaluate', { image }));
} else {
  const cells = (batch * height * width) / 4;
  const map = () => new Float32Array(cells).map(() => Math.random() ** 8);
  const feeds = { image, region: map(), affinity: map(), weight: new Float32Array(cells).fill(1) };
  const { run } = await openStep(model, batch, 0);
  await answer(() => run(feeds));
}
