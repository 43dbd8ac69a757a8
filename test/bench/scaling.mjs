/** Predicts how a training step scales over machines, by a model that docs/scaling.md describes:
 *
 *      step = compute + handling + exposed
 *      handling = 2·(N − 1)/N · size · HANDLING        copies and sums, on cores that compute otherwise
 *      exposed  = max(last bucket, wire − HIDDEN · compute) + DELAYS
 *      wire     = 2·(N − 1)/N · size / rate
 *
 *      node test/bench/scaling.mjs [--handling 8]
 *
 *  Prints efficiencies: the images per second of N machines, divided by N times those of one. */
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { handling: { type: 'string', default: '8' } } });
const MIB = 2 ** 20;
/** Milliseconds of a core for each MiB that a machine sends and receives. */
const HANDLING = Number(values.handling);
/** Share of a step in which gradients travel while others are computed: the backward pass is two thirds of a step. */
const HIDDEN = 2 / 3;
const BUCKET = 4;
/** Milliseconds of a network's delays in a step: one exchange before the loss, one of the last bucket, 0.5 ms each way. */
const DELAYS = 4;
/** MiB of the gradients, and milliseconds of a step of one machine. */
const MODELS = [
  ['SSD-lite', 11.9, 466],
  ['RetinaNet-R50', 123.2, 2441],
  ['CRAFT', 79.2, 12098],
];
const wireOf = (mebibytes, gigabits) => (mebibytes * MIB * 8) / (gigabits * 1e6);

for (const [name, size, compute] of MODELS)
  for (const gigabits of [1, 10]) {
    const efficiencies = [2, 4, 16, 64].map((machines) => {
      const share = (2 * (machines - 1)) / machines;
      const wire = wireOf(share * size, gigabits);
      const last = wireOf(share * Math.min(BUCKET, size), gigabits);
      const exposed = Math.max(last, wire - HIDDEN * compute) + DELAYS;
      return compute / (compute + share * size * HANDLING + exposed);
    });
    console.log(`${name}, ${gigabits} Gbit/s: ${efficiencies.map((one) => one.toFixed(2)).join(', ')}`);
  }
