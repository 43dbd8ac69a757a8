/** What step.mjs asks of each of its processes: after `ready`, every line `N` is answered with the milliseconds of N repetitions. */
import { createInterface } from 'node:readline';

export async function answer(step) {
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
}
