import { parentPort, workerData } from 'node:worker_threads';
import { FinetuneError } from '../errors.js';
import { openHost, type HostOptions } from './host.js';
import { OPENED, type Asked, type Told } from './lanes.js';

/** The code of a lane's thread: opens the model and answers what it is asked, in any order. */
const port = parentPort!;
const tell = (told: Told): void => port.postMessage(told);

/** Tells what work gives, or its problems. */
async function answer(id: number, work: () => Promise<Omit<Told, 'id'>>): Promise<void> {
  try {
    tell({ id, ...(await work()) });
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error; // the thread ends, and is replaced
    tell({ id, problems: error.problems });
  }
}

await answer(OPENED, async () => {
  const host = await openHost(workerData as HostOptions);
  port.on('message', (asked: Asked) => {
    void answer(asked.id, async () => {
      if (asked.ask === 'predict') return { answers: await host.predict(asked.images) };
      if (asked.ask === 'reload') return { served: await host.reload() };
      host.dispose();
      return {};
    });
  });
  return { served: host.served };
});
