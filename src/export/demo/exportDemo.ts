import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DEMO_ENGINES, type DemoFormat } from '../../demo/content.js';
import { makeFolder, makeWhole, withTemporaryFolder } from '../../files/folders.js';
import type { ModelCard } from '../../modelFolder/card.js';
import { readModelFolder } from '../../modelFolder/readModelFolder.js';
import { checkEmpty, exportModel, usualFolder, type ExportOptions } from '../exportModel.js';
import { openCheckpoint, openRunData, type Checkpoint, type Hooks } from '../source.js';
import { readEngine } from './engines.js';
import { writeDemo, type FolderContent, type GivenModel } from './folder.js';
import { samplesIn, samplesOf } from './samples.js';

export interface DemoOptions extends Pick<ExportOptions, 'quantize' | 'nms' | 'images' | 'tolerance'>, Hooks {
  /** The format of the model, and with it the engine of the page: `tfjs`, the default (TensorFlow.js, 1.5 MB), or `onnx` (ONNX
   *  Runtime, 19 MB). */
  readonly format?: DemoFormat | undefined;
  /** Other model folders that the page offers beside this model. */
  readonly with?: readonly string[] | undefined;
  /** Number of sample images, from the validation part or the folder `images`; default: 6. */
  readonly samples?: number | undefined;
  /** The folder to write, which must be new or empty. Default: `demo` in the run directory. */
  readonly out?: string | undefined;
}

/** Whose images the page shows. */
type SamplesFrom = 'validation' | 'images' | 'drawn' | 'none';

export interface ExportedDemo {
  /** The folder with index.html. */
  readonly directory: string;
  /** Size of the folder. */
  readonly bytes: number;
  readonly samplesFrom: SamplesFrom;
  /** The card of the model. */
  readonly card: ModelCard;
}

const USUAL_SAMPLES = 6;

const ABOUT: Readonly<Record<SamplesFrom, string>> = {
  validation: 'The sample images are from the data that the model was validated on; their licence is that of the data.',
  images: 'The sample images were chosen by the person who made this page.',
  drawn: 'The sample images were drawn by a program.',
  none: '',
};

/** Exports a trained model as a page: see exportDemo of the API. */
export async function exportDemo(path: string, options: DemoOptions): Promise<ExportedDemo> {
  const { format = 'tfjs', quantize, nms, images, tolerance, signal, onProgress } = options;
  const hooks = { signal, onProgress };
  const checkpoint = await openCheckpoint(path, hooks);
  const directory = resolve(options.out ?? usualFolder(path, checkpoint, 'demo', undefined));
  await checkEmpty(directory);
  await readEngine(DEMO_ENGINES[format]); // tells what is not installed before a model is written
  const others = await Promise.all((options.with ?? []).map(readGiven));
  const { samples, samplesFrom } = await readSamples(checkpoint, options);
  let made: ExportedDemo | undefined;
  const write = async (folder: string, temporary: string): Promise<void> => {
    const out = join(temporary, [format, quantize, nms === 'in' && 'nms'].filter(Boolean).join('-'));
    const { card } = await exportModel(path, { format, quantize, nms, images, tolerance, out, ...hooks });
    onProgress?.({ message: 'writing the page' });
    await makeFolder(folder);
    const bytes = await writeDemo(folder, {
      title: titleOf(card),
      about: ABOUT[samplesFrom],
      models: withOwnNames([await readGiven(out), ...others]),
      samples,
      licenses: card.licenses.map(
        ({ weights, license }) => `the weights that training started from: ${weights}, ${license ?? 'licence unknown'}`,
      ),
    });
    made = { directory, bytes, samplesFrom, card };
  };
  const isThere = () => Promise.resolve(false); // a folder that came meanwhile is not ours
  await makeWhole(
    directory,
    (folder) => withTemporaryFolder(`${folder}.`, (temporary) => write(folder, temporary)),
    isThere,
  );
  return made!;
}

/** Reads a model folder, and checks that its parts belong together. Throws E_MODEL_FOLDER. */
async function readGiven(folder: string): Promise<GivenModel> {
  const { card, directory } = await readModelFolder(folder);
  const names = Object.keys(card.files);
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name))] as const));
  return { name: basename(resolve(folder)), card, files: Object.fromEntries(files) };
}

/** Gives models of the same name a number. */
const withOwnNames = (models: readonly GivenModel[]): GivenModel[] =>
  models.map((model, i) => {
    const before = models.slice(0, i).filter(({ name }) => name === model.name).length;
    const name = model.name.replace(/[^\w.-]/g, '_');
    return { ...model, name: before > 0 ? `${name}-${before + 1}` : name };
  });

async function readSamples(
  checkpoint: Checkpoint,
  { samples: most = USUAL_SAMPLES, images, signal, onProgress }: DemoOptions,
): Promise<Pick<FolderContent, 'samples'> & { readonly samplesFrom: SamplesFrom }> {
  const { model } = checkpoint;
  const options = { most, size: model.task.evaluateSize ?? model.size, signal };
  if (most === 0) return { samples: [], samplesFrom: 'none' };
  if (images !== undefined) return { samples: await samplesIn(images, options), samplesFrom: 'images' };
  const data = await openRunData(checkpoint, { signal, onProgress });
  const isDrawn = data.recipe.data.format.startsWith('synthetic');
  return { samples: await samplesOf(data, options), samplesFrom: isDrawn ? 'drawn' : 'validation' };
}

/** Classes that a title names. */
const MOST_NAMED = 4;

function titleOf({ task, categories }: ModelCard): string {
  if (task === 'text') return 'Find words in photos';
  const names = categories.slice(0, MOST_NAMED).map(({ name }) => name);
  const rest = categories.length - names.length;
  const listed = [...names, ...(rest > 0 ? [`${rest} more`] : [])];
  const last = listed.pop()!;
  if (task === 'detection') return `Find ${listed.length > 0 ? `${listed.join(', ')} and ${last}` : last}`;
  return `Is it ${listed.length > 0 ? `${listed.join(', ')} or ${rest > 0 ? `one of ${last}` : last}` : last}?`;
}
