import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../engine/names.js';
import { FinetuneError, type Problem } from '../errors.js';

/** What a process is started with, and what it tells after it has opened the model and after each round. */
export interface ChildWork {
  readonly path: string;
  readonly engine: EngineName | 'auto';
  /** The file of the image. */
  readonly image: string;
}
export interface ChildNews {
  readonly times?: readonly number[];
  readonly memoryBytes?: number;
  readonly problems?: readonly Problem[];
}

/** A model that is open in a process of its own. */
export interface Running {
  /** The program that runs it. */
  readonly host: string;
  /** Predicts for one round, and returns the milliseconds of each call. */
  round(): Promise<readonly number[]>;
  /** The memory that the process took at its most; null where the system does not tell. */
  memoryBytes(): number | null;
  end(): Promise<void>;
}

const CHILD = fileURLToPath(new URL('./benchChild.js', import.meta.url));

/** Opens a model in a process of Node. Throws what openModel throws, E_THREAD_ENDED. */
export async function openChild(work: ChildWork): Promise<Running> {
  const child: ChildProcess = fork(CHILD, [JSON.stringify(work)], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  let memory = 0;
  const next = async (): Promise<readonly number[]> => {
    const { times, memoryBytes, problems } = await newsOf(child);
    if (problems) throw new FinetuneError(problems);
    memory = memoryBytes ?? memory;
    return times ?? [];
  };
  const end = (): Promise<void> => {
    child.kill();
    return Promise.resolve();
  };
  try {
    await next();
  } catch (error) {
    await end();
    throw error;
  }
  return {
    host: 'Node',
    async round() {
      const news = next();
      child.send('round');
      return news;
    },
    memoryBytes: () => memory,
    end,
  };
}

/** The next message of a process, or that it ended. */
const newsOf = (child: ChildProcess): Promise<ChildNews> =>
  new Promise((resolve) => {
    const ended = (code: number | null): void => {
      resolve({ problems: [{ code: 'E_THREAD_ENDED', message: `its process ended with exit code ${code}` }] });
    };
    child.once('exit', ended);
    child.once('message', (news: ChildNews) => {
      child.off('exit', ended);
      resolve(news);
    });
  });
