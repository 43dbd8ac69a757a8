import { setFlagsFromString } from 'node:v8';

/** Lets the heap grow to four times of what was in use before V8 looks through all of it for garbage. The heap of a
 *  training is small, about 40 MiB, and V8 counts the pixels and gradients of each step with it: by default it looks
 *  through the heap once or twice in a step, which takes 40 ms of a core. */
export async function collectingRarely<T>(work: () => Promise<T>): Promise<T> {
  setFlagsFromString('--heap-growing-percent=300');
  try {
    return await work();
  } finally {
    setFlagsFromString('--heap-growing-percent=0'); // V8's own choice
  }
}
