import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { FinetuneError } from '../errors.js';
import { withTemporaryFolder, writeNew } from '../files/folders.js';
import type { ProgressEvent } from '../progress.js';
import { keepBench, type BenchReport, type SpeedRow } from '../report/speed.js';
import { findBrowser, openInBrowser } from './browser.js';
import { openChild, type Running } from './children.js';
import { recommend, takeTurns } from './contest.js';
import { makeMissing } from './missing.js';
import { findWays, type Way } from './ways.js';

export interface BenchOptions {
  /** The image to predict for; default: a drawn one of 640 × 480 pixels. */
  readonly image?: string | undefined;
  /** Rounds in which every way to run the model takes its turn. Default: 8. */
  readonly rounds?: number | undefined;
  /** Measures the model in int8, too, where it has not been exported so: that takes minutes and needs the data of the run. */
  readonly int8?: boolean | undefined;
  /** The executable of a browser that is made of Chromium, or false for none. Default: the one that CHROME_PATH names, or that is
   *  found on this machine. */
  readonly browser?: string | false | undefined;
  /** Whether to write bench.json into the run directory, from where a bundle takes it, and the table into its report.html.
   *  Default: true. */
  readonly save?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

const ROUNDS = 8;

/** Measures each way to run a model on this machine: the checkpoint on every engine that is in place, and exported models in Node
 *  and in a browser. Each has a process of its own, and they take turns.
 *  Throws E_MODEL_PATH, E_BENCH_NONE if no way works, and the signal's reason. */
export async function bench(path: string, options: BenchOptions = {}): Promise<BenchReport> {
  const { int8 = false, save = true, signal, onProgress } = options;
  const found = await findWays(path);
  noteLoad(onProgress);
  const report = await withTemporaryFolder(join(tmpdir(), 'finetune-bench-'), async (temporary) => {
    const image = options.image === undefined ? await draw(temporary) : resolve(options.image);
    const made = found.isCheckpoint
      ? await makeMissing(path, temporary, { there: found.ways, int8, signal, onProgress })
      : { ways: [], leftOut: [] };
    const ways = [...found.ways, ...made.ways];
    const isOfPage = ({ run }: Way): boolean => 'page' in run;
    const nodes = await contest(
      ways.filter((way) => !isOfPage(way)),
      { ...options, image },
    );
    const pages = await contest(ways.filter(isOfPage), { ...options, image });
    const leftOut = [...made.leftOut, ...nodes.leftOut, ...pages.leftOut];
    const recommended = recommend(nodes.rows);
    if (!recommended) throw noWay(path, leftOut);
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() };
    return {
      version: 1,
      machine: { ...machine, node: process.version, platform: `${process.platform} ${process.arch}` },
      rows: [...nodes.rows, ...pages.rows].sort((one, other) => one.p50 - other.p50),
      ...{ recommended, inBrowser: recommend(pages.rows) ?? null, leftOut },
    } as const;
  });
  if (save && found.run !== undefined) await keep(found.run, report, onProgress);
  return report;
}

/** Says so if other programs compute. */
function noteLoad(onProgress: BenchOptions['onProgress']): void {
  const [load, cores] = [loadavg()[0]!, availableParallelism()];
  const message = `note: other programs compute on this machine (load ${load.toFixed(1)} on ${cores} processors): measure again when it is idle`;
  if (load > cores) onProgress?.({ message });
}

/** Lets the ways take turns, and returns what was measured of those that work. */
async function contest(
  ways: readonly Way[],
  { image, rounds = ROUNDS, browser, signal, onProgress }: BenchOptions & { readonly image: string },
): Promise<{ readonly rows: readonly SpeedRow[]; readonly leftOut: BenchReport['leftOut'] }> {
  const opened: { readonly way: Way; readonly running: Running }[] = [];
  const leftOut: BenchReport['leftOut'][number][] = [];
  try {
    for (const way of ways) {
      signal?.throwIfAborted();
      onProgress?.({ message: `opening ${way.format} with ${way.engine}` });
      try {
        opened.push(await open(way, image, browser));
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof FinetuneError)) throw error;
        leftOut.push({ format: way.format, engine: way.engine, why: whyOf(error) });
      }
    }
    let done = 0;
    const contestants = opened.map(({ running }) => async () => {
      signal?.throwIfAborted();
      const times = await running.round().catch((error: unknown) => {
        signal?.throwIfAborted(); // Ctrl-C ends the browser and the other processes, too
        throw error;
      });
      onProgress?.({ phase: 'predict', done: ++done, total: opened.length * (rounds + 1) });
      return times;
    });
    const timed = await takeTurns(contestants, rounds);
    const rows = timed.map((measured, i): SpeedRow => {
      const { way, running } = opened[i]!;
      const { format, engine, model, diskBytes, score } = way;
      const memoryBytes = running.memoryBytes();
      return {
        format,
        engine,
        host: running.host,
        model,
        ...measured,
        memoryBytes,
        diskBytes,
        ...(score && { score }),
      };
    });
    return { rows, leftOut };
  } finally {
    await Promise.all(opened.map(({ running }) => running.end()));
  }
}

const whyOf = ({ problems: [problem] }: FinetuneError): string =>
  [problem!.message, problem!.fix].filter(Boolean).join(': ');

async function open(
  way: Way,
  image: string,
  browser: BenchOptions['browser'],
): Promise<{ readonly way: Way; readonly running: Running }> {
  const { path, run } = way;
  if ('engine' in run) return { way, running: await openChild({ path, engine: run.engine, image }) };
  const executable = browser === false ? undefined : (browser ?? findBrowser());
  if (executable === undefined) throw noBrowser(browser === false);
  const running = await openInBrowser(executable, { ...run.page, folder: path, image });
  return { way: running.isSoftware ? { ...way, engine: `${way.engine} (by the processor)` } : way, running };
}

const noBrowser = (isUnwanted: boolean): FinetuneError =>
  new FinetuneError({
    code: 'E_ENGINE_UNAVAILABLE',
    message: isUnwanted ? 'no browser was wanted' : 'there is no Chromium on this machine',
    ...(!isUnwanted && { fix: 'install one, or name it: --browser FILE' }),
  });

/** Keeps the measurement in the run directory, if it may be written. */
async function keep(run: string, report: BenchReport, onProgress: BenchOptions['onProgress']): Promise<void> {
  try {
    await keepBench(run, report);
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    onProgress?.({ message: `note: the measurement is not kept in the run: ${error.problems[0]!.message}` });
  }
}

/** Writes a picture with edges and colours as JPEG. */
async function draw(folder: string): Promise<string> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><rect width="640" height="480" fill="#7a9"/>
<circle cx="200" cy="200" r="90" fill="#c33"/><rect x="360" y="160" width="180" height="220" fill="#336"/>
<path d="M60 420 L180 300 L300 420 Z" fill="#ec4"/></svg>`;
  const file = join(folder, 'image.jpg');
  await writeNew(file, await sharp(Buffer.from(svg)).jpeg().toBuffer());
  return file;
}

const noWay = (file: string, leftOut: BenchReport['leftOut']): FinetuneError =>
  new FinetuneError({
    code: 'E_BENCH_NONE',
    message: `no engine runs the model: ${leftOut.map(({ why }) => why).join('; ')}`,
    where: { file },
    fix: 'see what is missing: finetune doctor',
  });
