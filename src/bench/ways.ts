import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineName } from '../engine/names.js';
import { CARD_FILE } from '../modelFolder/card.js';
import { locateModel } from '../predict/locateModel.js';
import type { SpeedRow } from '../report/speed.js';
import { backendsOf } from './browser.js';
import type { PageWork } from './page.js';

/** A way to run a model. */
export interface Way extends Pick<SpeedRow, 'format' | 'engine' | 'model' | 'diskBytes' | 'score'> {
  /** The checkpoint or the model folder. */
  readonly path: string;
  /** Who runs it: an engine in Node, or a page in a browser. */
  readonly run: { readonly engine: EngineName | 'auto' } | { readonly page: PageWork };
}

/** The engines that run checkpoints. */
const ENGINES = ['onnxruntime', 'tensorflow', 'wasm'] as const;
/** What runs the formats in Node, and in a page. */
const LIBRARIES: Readonly<Record<string, { readonly node: string; readonly page?: string }>> = {
  onnx: { node: 'onnxruntime', page: 'onnxruntime-web' },
  savedmodel: { node: 'tensorflow' },
  tfjs: { node: 'tfjs on wasm', page: 'tfjs' },
  tflite: { node: 'litert' },
};

/** What a person named, and the ways to run it. */
export interface Found {
  /** The run directory; a bundle has none that could be written. */
  readonly run: string | undefined;
  /** Whether it is a checkpoint, which can be exported. */
  readonly isCheckpoint: boolean;
  readonly ways: readonly Way[];
}

/** Finds the ways to run a model: the checkpoint, and the exported models in its run directory. Throws E_MODEL_PATH. */
export async function findWays(path: string): Promise<Found> {
  const located = await locateModel(path);
  if ('folder' in located)
    return { run: undefined, isCheckpoint: false, ways: await waysOfFolder(located.folder, located.folder) };
  const [, scheme, local] = /^(run|file):(.*)$/.exec(located.uri) ?? [];
  const run = scheme === 'run' ? local! : undefined;
  const weights = run === undefined ? local : join(run, 'checkpoints', 'best.safetensors');
  const diskBytes = weights === undefined ? 0 : (await stat(weights)).size;
  const checkpoint = ENGINES.map((engine): Way => ({
    path,
    model: path,
    run: { engine },
    format: 'safetensors',
    engine,
    diskBytes,
  }));
  const folders = run === undefined ? [] : await modelFoldersOf(run);
  const exported = await Promise.all(folders.map((folder) => waysOfFolder(folder, folder)));
  return { run: run === path ? run : undefined, isCheckpoint: true, ways: [...checkpoint, ...exported.flat()] };
}

/** Exported models in a run directory that are not written for an application. */
async function modelFoldersOf(run: string): Promise<string[]> {
  const entries = await readdir(run, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(run, name));
  const cards = await Promise.all(folders.map(readCard));
  return folders.filter((_, i) => cards[i] && cards[i].for == null);
}

interface Card {
  readonly format: string;
  readonly quantize?: string | null;
  readonly for?: string | null;
  readonly parity?: { readonly metric?: SpeedRow['score'] | null };
}
const readCard = (folder: string): Promise<Card | undefined> =>
  readFile(join(folder, CARD_FILE), 'utf8').then(
    (text) => JSON.parse(text) as Card,
    () => undefined,
  );

/** The ways to run an exported model; `model` says how to get it. */
export async function waysOfFolder(folder: string, model: string): Promise<Way[]> {
  const { format = 'unknown', quantize, parity } = (await readCard(folder)) ?? {};
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name))));
  const common = {
    ...{ path: folder, model, diskBytes: sizes.reduce((sum, { size }) => sum + size, 0) },
    format: quantize ? `${format} ${quantize}` : format,
    ...(quantize && parity?.metric && { score: parity.metric }),
  };
  const { node = format, page } = LIBRARIES[format] ?? {};
  const backends = format === 'onnx' || format === 'tfjs' ? backendsOf(format, quantize === 'int8') : [];
  return [
    { ...common, engine: node, run: { engine: 'auto' } },
    ...backends.map((backend): Way => {
      const work = { format: format as PageWork['format'], backend };
      return { ...common, engine: `${page} on ${backend}`, run: { page: work } };
    }),
  ];
}
