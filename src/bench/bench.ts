import { fork, type ChildProcess } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FinetuneError, type Problem } from '../errors.js';
import { writeAtomically } from '../files/writeAtomically.js';
import type { EngineName } from '../engine/names.js';
import { CARD_FILE } from '../modelFolder/card.js';
import { locateModel } from '../predict/locateModel.js';
import type { ProgressEvent } from '../progress.js';
import { recommend, takeTurns, type Timed } from './contest.js';

export interface BenchOptions {
  /** The image to predict for; default: a drawn one of 640 × 480 pixels. */
  readonly image?: string | undefined;
  /** Rounds in which every way to run the model takes its turn. Default: 8. */
  readonly rounds?: number | undefined;
  /** Writes bench.json into the run directory, from where a bundle takes it. */
  readonly save?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** One way to run the model. */
export interface BenchRow extends Timed {
  /** `safetensors` for the checkpoint, else the format of an exported model, with its type if that is not float32. */
  readonly format: string;
  /** Name of the engine; that of an exported model is the one of its format. */
  readonly engine: string;
  /** The checkpoint or the model folder, as it is given to `predict`. */
  readonly model: string;
  /** Memory of a process that runs nothing else, at its most. */
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export interface BenchReport {
  readonly version: 1;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string; readonly platform: string };
  readonly rows: readonly BenchRow[];
  readonly recommended: Pick<BenchRow, 'format' | 'engine' | 'model'>;
  /** Ways that were left out, and why. */
  readonly leftOut: readonly { readonly format: string; readonly engine: string; readonly why: string }[];
}

interface Way {
  readonly path: string;
  readonly engine: EngineName | 'auto';
  readonly format: string;
  /** What people call the engine. */
  readonly called: string;
  readonly diskBytes: number;
}

/** The engines that run checkpoints, and those of the formats. */
const ENGINES = ['onnxruntime', 'tensorflow', 'wasm'] as const;
const ENGINE_OF: Readonly<Record<string, string>> = {
  onnx: 'onnxruntime',
  savedmodel: 'tensorflow',
  tfjs: 'wasm (tfjs)',
  tflite: 'litert',
};
const ROUNDS = 8;

/** Measures each way to run a model on this machine: the checkpoint on every engine that is in place, and the exported
 *  models in the run directory. Each has a process of its own, and they take turns.
 *  Throws E_MODEL_PATH, E_BENCH_NONE if no way works, and the signal's reason. */
export async function bench(path: string, options: BenchOptions = {}): Promise<BenchReport> {
  const { image, rounds = ROUNDS, save = false, signal, onProgress } = options;
  const { run, ways } = await findWays(path);
  const opened: { readonly way: Way; readonly child: Child }[] = [];
  const leftOut: { format: string; engine: string; why: string }[] = [];
  try {
    for (const way of ways) {
      signal?.throwIfAborted();
      onProgress?.({ message: `opening ${way.format} with ${way.called}` });
      const child = startChild({ path: way.path, engine: way.engine, image });
      opened.push({ way, child });
      const { problems } = await child.next;
      if (!problems) continue;
      opened.pop();
      child.end();
      leftOut.push({ format: way.format, engine: way.called, why: problems[0]!.message });
    }
    let done = 0;
    const contestants = opened.map(({ child }) => async () => {
      signal?.throwIfAborted();
      const { times } = await child.ask();
      onProgress?.({ phase: 'predict', done: ++done, total: opened.length * (rounds + 1) });
      return times!;
    });
    const timed = await takeTurns(contestants, rounds);
    const rows = timed.map((measured, i): BenchRow => {
      const { way, child } = opened[i]!;
      const { format, called: engine, diskBytes } = way;
      return { format, engine, model: way.path, ...measured, memoryBytes: child.memoryBytes(), diskBytes };
    });
    const best = recommend(rows);
    if (!best) throw noWay(path, leftOut);
    const { format, engine, model } = best;
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() };
    const report: BenchReport = {
      version: 1,
      machine: { ...machine, node: process.version, platform: `${process.platform} ${process.arch}` },
      rows: rows.sort((one, other) => one.p50 - other.p50),
      ...{ recommended: { format, engine, model }, leftOut },
    };
    if (save && run !== undefined) await writeAtomically(join(run, 'bench.json'), toSaved(report, run));
    return report;
  } finally {
    for (const { child } of opened) child.end();
  }
}

/** The report as it is kept: with paths below the run directory. */
function toSaved(report: BenchReport, run: string): string {
  const below = <T extends { readonly model: string }>(row: T): T => ({
    ...row,
    model: relative(run, row.model) || '.',
  });
  const saved = { ...report, rows: report.rows.map(below), recommended: below(report.recommended) };
  return `${JSON.stringify(saved, null, 2)}\n`;
}

const noWay = (file: string, leftOut: readonly { readonly why: string }[]): FinetuneError =>
  new FinetuneError({
    code: 'E_BENCH_NONE',
    message: `no engine runs the model: ${leftOut.map(({ why }) => why).join('; ')}`,
    where: { file },
    fix: 'see what is missing: finetune doctor',
  });

async function findWays(path: string): Promise<{ readonly run: string | undefined; readonly ways: readonly Way[] }> {
  const located = await locateModel(path);
  if ('folder' in located) return { run: undefined, ways: [await wayOfFolder(located.folder)] };
  const [, scheme, local] = /^(run|file):(.*)$/.exec(located.uri) ?? [];
  const run = scheme === 'run' ? local! : undefined;
  const weights = run === undefined ? local : join(run, 'checkpoints', 'best.safetensors');
  const diskBytes = weights === undefined ? 0 : (await stat(weights)).size;
  const ways = ENGINES.map((engine) => ({ path, engine, format: 'safetensors', called: engine, diskBytes }));
  const folders = run === undefined ? [] : await modelFoldersOf(run);
  return { run, ways: [...ways, ...(await Promise.all(folders.map(wayOfFolder)))] };
}

/** Exported models in a run directory that are not written for an application. */
async function modelFoldersOf(run: string): Promise<string[]> {
  const entries = await readdir(run, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(run, name));
  const cards = await Promise.all(folders.map(readCard));
  return folders.filter((_, i) => cards[i] && cards[i].for == null);
}

const readCard = async (folder: string): Promise<{ format: string; quantize?: string; for?: string } | undefined> =>
  readFile(join(folder, CARD_FILE), 'utf8').then(
    (text) => JSON.parse(text) as { format: string },
    () => undefined,
  );

async function wayOfFolder(folder: string): Promise<Way> {
  const { format = 'unknown', quantize } = (await readCard(folder)) ?? {};
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name))));
  const diskBytes = sizes.reduce((sum, { size }) => sum + size, 0);
  const called = ENGINE_OF[format] ?? format;
  return { path: folder, engine: 'auto', format: quantize ? `${format} ${quantize}` : format, called, diskBytes };
}

/** What a process is started with, and what it tells after it has opened the model and after each round. */
export interface ChildWork {
  readonly path: string;
  readonly engine: EngineName | 'auto';
  readonly image: string | undefined;
}
export interface ChildNews {
  readonly times?: readonly number[];
  readonly memoryBytes?: number;
  readonly problems?: readonly Problem[];
}

interface Child {
  /** What it tells first. */
  readonly next: Promise<ChildNews>;
  ask(): Promise<ChildNews>;
  memoryBytes(): number;
  end(): void;
}

const CHILD = fileURLToPath(new URL('./benchChild.js', import.meta.url));

function startChild(work: ChildWork): Child {
  const child: ChildProcess = fork(CHILD, [JSON.stringify(work)], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  let memory = 0;
  const next = (): Promise<ChildNews> =>
    new Promise((resolve) => {
      const ended = (code: number | null): void => {
        resolve({ problems: [{ code: 'E_THREAD_ENDED', message: `its process ended with exit code ${code}` }] });
      };
      child.once('exit', ended);
      child.once('message', (news: ChildNews) => {
        child.off('exit', ended);
        memory = news.memoryBytes ?? memory;
        resolve(news);
      });
    });
  return {
    next: next(),
    async ask() {
      const news = next();
      child.send('round');
      const { problems, ...rest } = await news;
      if (problems) throw new FinetuneError(problems);
      return rest;
    },
    memoryBytes: () => memory,
    end: () => void child.kill(),
  };
}
