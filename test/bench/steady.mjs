/** 1,000 training steps on one session: resident memory and tfjs' tensor count must stay flat.
 *
 *      node test/bench/steady.mjs [steps] [backbone] [side] [batch]
 *
 *  Prints both every tenth of the way and exits with 1 if memory grew by more than 2 % after the first tenth. */
import { openTrainStep } from './trainStep.mjs';

const [steps = '1000', backbone = 'mobilenetv2_035', side = '96', batch = '4'] = process.argv.slice(2);
const { step, backend } = await openTrainStep({ backbone, side: Number(side), batch: Number(batch), stages: 0 });
const mebibytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);
let first = 0;
let last = 0;
for (let i = 1; i <= Number(steps); i++) {
  await step();
  if (i % Math.ceil(Number(steps) / 10) !== 0) continue;
  last = mebibytes();
  first ||= last;
  console.log(`step ${i}: ${last} MiB, ${backend.tf.memory().numTensors} tensors`);
}
process.exit(last > first * 1.02 ? 1 : 0);
