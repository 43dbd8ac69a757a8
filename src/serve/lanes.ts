import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FinetuneError, type Problem } from '../errors.js';
import { openHost, type Answer, type Host, type HostOptions, type Served } from './host.js';

/** A host, in this thread or in one of its own. */
export interface Lane extends Omit<Host, 'dispose'> {
  dispose(): Promise<void>;
}

/** Runs the model in the thread of the server. */
export async function openLane(options: HostOptions): Promise<Lane> {
  const host = await openHost(options);
  return {
    get served() {
      return host.served;
    },
    predict: (images) => host.predict(images),
    reload: () => host.reload(),
    dispose() {
      host.dispose();
      return Promise.resolve();
    },
  };
}

/** What the thread of a lane is asked, and what it answers. */
export type Asked =
  | { readonly id: number; readonly ask: 'predict'; readonly images: readonly Uint8Array[] }
  | { readonly id: number; readonly ask: 'reload' }
  | { readonly id: number; readonly ask: 'dispose' };
export interface Told {
  readonly id: number;
  readonly answers?: readonly Answer[];
  readonly served?: Served;
  readonly problems?: readonly Problem[];
}
/** The id of the message with which a thread says that its model is open. */
export const OPENED = 0;

/** Milliseconds between tries to open a thread again. */
const [FIRST_WAIT, LONGEST_WAIT] = [100, 10_000];

const THREAD = fileURLToPath(new URL('./laneThread.js', import.meta.url));

/** Runs the model in a thread of its own, since ONNX Runtime keeps the thread that calls it busy. A thread that ends is
 *  replaced; what it was working on gets E_THREAD_ENDED. Throws as openModel does. */
export async function openThreadLane(options: HostOptions): Promise<Lane> {
  let isDisposed = false;
  const isOver = (): boolean => isDisposed;
  let thread = await openThread(options, lost);
  const { task, classes } = thread.served();
  const again: HostOptions = { ...options, promised: { task, classes } };
  let opening: Promise<void> | undefined;
  function lost(): void {
    if (!isDisposed) opening = openAgain();
  }
  /** Calls wait for it until they are given up. What keeps a model from being opened may pass, such as a file that is being
   *  replaced. */
  async function openAgain(): Promise<void> {
    for (let wait = FIRST_WAIT; !isDisposed; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      const next = await openThread(again, lost).catch(() => undefined);
      if (next) {
        thread = next;
        opening = undefined;
        if (isOver()) await next.end();
        return;
      }
      await setTimeout(wait, undefined, { ref: false });
    }
  }
  const ask = async (asked: Unnumbered): Promise<Told> => {
    await opening;
    return thread.ask(asked);
  };
  return {
    get served() {
      return thread.served();
    },
    predict: async (images) => (await ask({ ask: 'predict', images })).answers!,
    reload: async () => (await ask({ ask: 'reload' })).served!,
    async dispose() {
      isDisposed = true;
      await thread.ask({ ask: 'dispose' }).catch(() => undefined);
      await thread.end();
    },
  };
}

type Unnumbered = Asked extends infer One ? (One extends Asked ? Omit<One, 'id'> : never) : never;

interface Thread {
  readonly served: () => Served;
  ask(asked: Unnumbered): Promise<Told>;
  end(): Promise<void>;
}

async function openThread(workerData: HostOptions, lost: () => void): Promise<Thread> {
  const worker = new Worker(THREAD, { workerData });
  const waiting = new Map<number, (told: Told) => void>();
  let [next, isOver] = [OPENED + 1, false];
  let served: Served | undefined;
  const opened = new Promise<Told>((resolve) => waiting.set(OPENED, resolve));
  worker.on('message', (told: Told) => {
    served = told.served ?? served;
    waiting.get(told.id)?.(told);
    waiting.delete(told.id);
  });
  const over = (why: string): void => {
    if (isOver) return;
    isOver = true;
    const problems: Problem[] = [{ code: 'E_THREAD_ENDED', message: `a thread of the server ended: ${why}` }];
    for (const [id, tell] of waiting) tell({ id, problems });
    waiting.clear();
    if (served) lost();
  };
  worker.on('error', (error) => over(error.message));
  worker.on('exit', (code) => over(`exit code ${code}`));
  const checked = (told: Told): Told => {
    if (told.problems) throw new FinetuneError(told.problems);
    return told;
  };
  checked(await opened);
  return {
    served: () => served!,
    async ask(asked) {
      if (isOver) throw new FinetuneError({ code: 'E_THREAD_ENDED', message: 'a thread of the server has ended' });
      const id = next++;
      const told = new Promise<Told>((resolve) => waiting.set(id, resolve));
      worker.postMessage({ ...asked, id });
      return checked(await told);
    },
    async end() {
      isOver = true;
      await worker.terminate();
    },
  };
}
