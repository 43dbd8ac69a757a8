import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export type ParquetRow = Readonly<Record<string, unknown>>;

/** What the thread is asked: rows from `start` to before `end`. */
interface Asked {
  readonly start: number;
  readonly end: number;
  readonly columns: readonly string[];
}
type Told = { readonly rows: readonly ParquetRow[] } | { readonly name: string; readonly message: string };

/** The code of the thread, which says when it is ready and answers what it is asked. It is a text, so that sources and
 *  what was compiled of them start the same. */
const CODE = `
const { parentPort, workerData: { hyparquet, file } } = require('node:worker_threads');
import(hyparquet).then(async ({ asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects }) => {
  const buffer = await asyncBufferFromFile(file);
  const metadata = await parquetMetadataAsync(buffer);
  parentPort.on('message', async ({ start, end, columns }) => {
    try {
      const rows = await parquetReadObjects({ file: buffer, metadata, rowStart: start, rowEnd: end, columns, utf8: false });
      parentPort.postMessage({ rows });
    } catch (error) {
      parentPort.postMessage({ name: String(error?.name), message: String(error?.message) });
    }
  });
  parentPort.postMessage('ready');
});`;

/** Milliseconds that an answer may take: so many, and more for each byte of the file. */
const LEAST = 4000;
const EACH_BYTE = 1e-4;
/** Most memory of the thread's heap in MiB; images are not in it. */
const MOST_MEMORY = 2048;

export interface ParquetThread {
  /** Throws the error of hyparquet, and one if it takes far too long. */
  read(start: number, end: number, columns: readonly string[]): Promise<readonly ParquetRow[]>;
  close(): Promise<void>;
}

/** Reads a parquet file in a thread that can be ended: in a damaged file hyparquet believes lengths of runs, and goes
 *  on writing values for hours. */
export async function openParquetThread(file: string, bytes: number): Promise<ParquetThread> {
  const worker = new Worker(CODE, {
    eval: true,
    workerData: { hyparquet: import.meta.resolve('hyparquet'), file },
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY },
  });
  await once(worker, 'message');
  return {
    async read(start, end, columns) {
      worker.postMessage({ start, end, columns } satisfies Asked);
      const signal = AbortSignal.timeout(Math.round(LEAST + EACH_BYTE * bytes));
      const [told] = (await once(worker, 'message', { signal }).catch((error: unknown) => {
        throw signal.aborted ? new Error('it takes far too long') : error;
      })) as [Told];
      if ('rows' in told) return told.rows;
      throw Object.assign(new Error(told.message), { name: told.name });
    },
    async close() {
      await worker.terminate();
    },
  };
}
