/** 1,000 training steps on one session: resident memory must stay flat.
 *
 *      node test/bench/steady.mjs [ssdlite | retinanet | fasterRcnn] [--steps 1000] [--backbone mobilenetv2_035] [--side 96] [--batch 4]
 *
 *  The pyramids have 64 channels and the box head 128 units, so that it takes minutes. Prints it every tenth of the way and exits with 1
 *  if memory grew by more than 2 % after the first tenth. */
import { parseArgs } from 'node:util';
import { detectorDefaults } from '../../dist/tasks/detection/detectorDefaults.js';
import { openDetectorStep } from './detectorStep.mjs';

const {
  values: { steps, backbone, side, batch },
  positionals: [head = 'ssdlite'],
} = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: 'string', default: '1000' },
    backbone: { type: 'string', default: 'mobilenetv2_035' },
    side: { type: 'string', default: '96' },
    batch: { type: 'string', default: '4' },
  },
});
const { step } = await openDetectorStep({
  detector: { ...detectorDefaults[head], channels: 64, units: 128, backbone, numClasses: 80 },
  freeze: { stages: 0, batchNorm: 'train' },
  batch: Number(batch),
  side: Number(side),
  weightDecay: 4e-5,
});
const mebibytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);
let first = 0;
let last = 0;
for (let i = 1; i <= Number(steps); i++) {
  await step();
  if (i % Math.ceil(Number(steps) / 10) !== 0) continue;
  last = mebibytes();
  first ||= last;
  console.log(`step ${i}: ${last} MiB`);
}
process.exit(last > first * 1.02 ? 1 : 0);
