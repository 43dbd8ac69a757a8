/** Our side of step.mjs; the same dialogue as torch_step.py. Arguments: mode (full | frozen | infer), batch, size. */
import { openBackend } from '../../dist/engine/backend.js';
import { openPredictor } from '../../dist/evaluate/predictor.js';
import { answer } from './dialogue.mjs';
import { benchModel, openTrainStep, randomPixels } from './trainStep.mjs';

const [mode, batchText, sizeText, backbone = 'mobilenetv2_100'] = process.argv.slice(2);
const [batch, side] = [Number(batchText), Number(sizeText)];

async function openInference() {
  const session = await openPredictor(benchModel(backbone, side), await openBackend(), { batch });
  const image = randomPixels(batch, side);
  return { step: () => session.run('evaluate', { image }) };
}

const { step } =
  mode === 'infer'
    ? await openInference()
    : await openTrainStep({ backbone, side, batch, stages: mode === 'frozen' ? 'all' : 0 });
await answer(step);
