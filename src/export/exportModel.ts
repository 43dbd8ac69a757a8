import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { openBackend } from '../engine/backend.js';
import { installEngine } from '../engine/install/install.js';
import { installForInference } from '../engine/install/installForInference.js';
import { FinetuneError } from '../errors.js';
import { buildPredictor } from '../evaluate/predictor.js';
import { makeFolder, makeWhole, writeNew } from '../files/folders.js';
import { CARD_FILE, type ModelCard } from '../modelFolder/card.js';
import { calibrate } from './calibrate.js';
import { makeCard } from './card.js';
import type { Format, Net, Quantizing } from './format.js';
import { formats } from './formats.js';
import type { FormatName, NmsPlace, Quantization, TargetName } from './names.js';
import { checkParity, compareFiles } from './gate.js';
import { otherImages } from './images.js';
import { openCheckpoint, openRunData, type Checkpoint, type Hooks } from './source.js';
import { detectorOf, suppressInside } from './suppressInside.js';
import type { Adapted, Target } from './targets/target.js';
import { targets } from './targets/targets.js';
import { defaultCacheDir } from '../weights/sources/cache.js';

export interface ExportOptions extends Hooks {
  /** Default: the format that the application of `for` reads. One of the two must be given. */
  readonly format?: FormatName | undefined;
  /** The application that the model is written for, in the layout that it reads. */
  readonly for?: TargetName | undefined;
  /** The type that the model computes with; default: float32. */
  readonly quantize?: Quantization | undefined;
  /** Where non-maximum suppression runs: `out`, the default, in the program that runs the model, as the card says; `in` the
   *  model, which then returns detections; or `none`: `predict` then returns boxes that overlap, for a program that has
   *  its own way to choose among them. */
  readonly nms?: NmsPlace | undefined;
  /** The folder to write, which must be new or empty. Default: a folder called as the format in the run directory. */
  readonly out?: string | undefined;
  /** A folder of images, or a pattern, to compare outputs on where the run's own cannot be opened. */
  readonly images?: string | undefined;
  /** The loss of the score that quantisation may cost; default: 0.002 for float16, 0.01 for int8. */
  readonly tolerance?: number | undefined;
}

export interface Exported {
  /** The model folder. */
  readonly directory: string;
  readonly card: ModelCard;
}

/** What the usual folder is called after its format, by the place of non-maximum suppression. */
const FOLDER_ENDINGS: Readonly<Record<NmsPlace, string>> = { out: '', in: '-nms', none: '-all-boxes' };

/** The loss of the score that quantisation may cost. */
const TOLERANCES: Readonly<Record<Quantization, number>> = { float16: 0.002, int8: 0.01 };

/** Exports a trained model: see exportModel of the API. */
export function exportModel(path: string, options: ExportOptions): Promise<Exported> {
  const target = targets.find(({ name }) => name === options.for);
  const wanted = options.format ?? target?.formats[0];
  const format = formats.find(({ name }) => name === wanted);
  if (!format) throw usage('the format is missing', `name a format, or an application: --format, --for`);
  if (target && !target.formats.includes(format.name as FormatName))
    throw usage(
      `${target.name} reads no ${format.name} models`,
      `leave --format out, or set it to ${target.formats.join(' or ')}`,
    );
  return exportAs(format, path, options, target);
}

const usage = (message: string, fix: string) => new FinetuneError({ code: 'E_USAGE', message, fix });

/** The same, in a format that may be no public one. */
export async function exportAs(
  given: Format,
  path: string,
  options: ExportOptions,
  target?: Target,
): Promise<Exported> {
  const { quantize, nms = 'out', images, signal, onProgress } = options;
  const tolerance = options.tolerance ?? TOLERANCES[quantize ?? 'int8'];
  checkOptions(given, options);
  const hooks = { signal, onProgress };
  await given.openRuntime?.(); // without it, everything that follows would be in vain
  const checkpoint = await openCheckpoint(path, hooks);
  const directory = resolve(
    options.out ?? usualFolder(path, checkpoint, target?.name ?? `${given.name}${FOLDER_ENDINGS[nms]}`, quantize),
  );
  await checkEmpty(directory);
  const others = images === undefined ? undefined : await otherImages(images, signal);
  const where = { file: checkpoint.file.source.file };
  const unfit = target?.whyNot(checkpoint, given.name as FormatName);
  if (unfit) throw new FinetuneError({ code: 'E_EXPORT_TARGET', ...unfit, where });
  const net = netOf(checkpoint);
  const adapted = adapt(checkpoint, net, { format: given, target, nms });
  const { format = given } = adapted;
  checkHolds(format, adapted.net, where.file);
  if (adapted.card.note !== undefined) onProgress?.({ message: `note: ${adapted.card.note}` });
  const data = images === undefined ? await openRunData(checkpoint, hooks) : undefined;
  await installEngine(hooks);
  await installForInference('onnxruntime', hooks);
  const backend = await openBackend();
  const quantizing: Quantizing | undefined =
    quantize === 'int8'
      ? { type: quantize, calibrate: () => calibrate(checkpoint, data!, { adapted, tolerance, ...hooks }) }
      : quantize && { type: quantize };
  let card: ModelCard | undefined;
  await makeWhole(
    directory,
    async (folder) => {
      signal?.throwIfAborted();
      await makeFolder(folder);
      onProgress?.({ message: `writing the model${quantize ? ` with ${quantize}` : ''}` });
      const { files, kept, call } = await format.write(folder, adapted.net, quantizing);
      if (kept.length > 0) onProgress?.({ message: `layers that stay in float32: ${kept.join(', ')}` });
      const comparing = { format, net, adapted, backend, options: { quantize, tolerance, images: others, ...hooks } };
      const comparison = await compareFiles(folder, { ...comparing, checkpoint, given: data });
      await checkParity(comparison, { ...comparing, directory });
      const { parity } = comparison;
      card = await makeCard(checkpoint, {
        format: format.name,
        quantize,
        nms,
        target: target?.name,
        adapted,
        parity,
        folder,
        files,
        call,
      });
      await writeNew(join(folder, CARD_FILE), `${JSON.stringify(card, null, 2)}\n`);
    },
    () => Promise.resolve(false), // a folder that came meanwhile is not ours
  );
  return { directory, card: card! };
}

/** Throws E_USAGE for options that exclude each other. */
function checkOptions(
  { name, quantizations }: Format,
  { for: target, nms, quantize, images, tolerance }: ExportOptions,
): void {
  if (quantize && !quantizations.includes(quantize)) {
    const others = formats.filter((one) => one.quantizations.includes(quantize)).map((one) => one.name);
    throw usage(
      `${name} has no ${quantize}`,
      `choose --format ${oneOf(others)}, or --quantize ${oneOf(quantizations)}`,
    );
  }
  if (target !== undefined && nms !== undefined)
    throw usage('the application decides where non-maximum suppression runs', 'leave one of --for and --nms out');
  if (quantize && images !== undefined)
    throw usage(
      `${quantize} is judged by the score on the data of the run, not on other images`,
      'leave one of the two out',
    );
  if (tolerance !== undefined && !quantize)
    throw usage('the tolerance is that of quantisation; float32 models must be equal', 'leave it out, or quantise');
}

/** Throws if the format cannot hold the net, and names those that can. */
export function checkHolds(format: Format, net: Net, file: string): void {
  const obstacle = format.whyNot(net);
  if (!obstacle) return;
  const others = formats.filter((one) => one.name !== format.name && one.whyNot(net) === undefined);
  const fix = others.length > 0 ? `export it as ${oneOf(others.map(({ name }) => name))}` : undefined;
  throw new FinetuneError(
    obstacle.problems.map(({ code, message }) => ({ code, message, where: { file }, ...(fix && { fix }) })),
  );
}

const oneOf = (names: readonly string[]): string => names.join(' or ');

/** The folder that is written where none is named. */
export function usualFolder(
  path: string,
  { file, run }: Checkpoint,
  name: string,
  quantize: Quantization | undefined,
): string {
  const folder = quantize ? `${name}-${quantize}` : name;
  // A bundle was unpacked into the cache: its model is written beside the bundle.
  if (run?.startsWith(defaultCacheDir())) return `${path.replace(/\.zip$/i, '')}-${folder}`;
  if (run !== undefined) return join(run, folder);
  const { file: weights } = file.source;
  return join(dirname(weights), `${basename(weights, extname(weights))}-${folder}`);
}

/** Throws E_EXPORT_OUT if a folder that is to be written has files. */
export async function checkEmpty(directory: string): Promise<void> {
  const held = await readdir(directory).catch((error: unknown) =>
    (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : [(error as Error).message],
  );
  if (held.length === 0) return;
  throw new FinetuneError({
    code: 'E_EXPORT_OUT',
    message: 'the folder for the exported model is not empty',
    where: { file: directory },
    fix: 'remove it, or choose another --out',
  });
}

function adapt(
  checkpoint: Checkpoint,
  net: Net,
  { format, target, nms }: { readonly format: Format; readonly target: Target | undefined; readonly nms: NmsPlace },
): Adapted {
  if (target) return target.adapt(checkpoint, net, format);
  if (nms === 'none') detectorOf(checkpoint);
  return nms === 'in' ? suppressInside(checkpoint, net) : asItIs(checkpoint, net);
}

/** The model with the input and the outputs of its checkpoint. */
export const asItIs = ({ model }: Checkpoint, net: Net): Adapted => ({
  net,
  feed: (pixels) => ({ image: pixels }),
  card: { outputs: model.task.decoding.outputs },
});

/** The network for one image, with every BatchNorm folded into its convolution. */
export function netOf({ model }: Checkpoint): Net {
  const { programs, values } = buildPredictor(model, { batch: 1 });
  return { program: programs.evaluate!, params: values };
}
