import { spreadImages } from '../data/firstImages.js';
import { viewsOf } from '../data/views.js';
import type { Results } from '../engine/engine.js';
import type { Backend } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import { FinetuneError } from '../errors.js';
import { withTemporaryFolder } from '../files/folders.js';
import { inputsOf, nodesOf, type Programs } from '../graph/program.js';
import { taskOptions } from '../run/taskOptions.js';
import { firstDifference } from './firstDifference.js';
import type { Format, Net, Running } from './format.js';
import type { Quantization } from './names.js';
import { imagesIn, imagesOf, type OtherImages } from './images.js';
import { compareOutputs, WRITTEN, type Comparison, type CompareOptions } from './parity.js';
import type { Checkpoint, Hooks, RunData } from './source.js';
import type { Adapted } from './targets/target.js';

/** Images on which the exported model is compared with the checkpoint at most. */
const MOST_COMPARED = 100;
/** Tolerances of float32: of the outputs, as a share of the largest value, and of the score. */
const [OUTPUT_TOLERANCE, SCORE_TOLERANCE] = [1e-3, 1e-3];

export interface GateOptions extends Hooks {
  readonly quantize: Quantization | undefined;
  /** The loss of the score that quantisation may cost. */
  readonly tolerance: number;
  /** Images to compare outputs on instead of those of the run. */
  readonly images: OtherImages | undefined;
}

/** What the exported model is compared with. */
export interface Comparing {
  readonly format: Format;
  /** The net of the checkpoint. */
  readonly net: Net;
  /** What was written of it. */
  readonly adapted: Adapted;
  readonly backend: Backend;
  readonly options: GateOptions;
}

/** Runs the files on the disk beside the checkpoint. */
export async function compareFiles(
  folder: string,
  {
    format,
    net,
    adapted,
    backend,
    checkpoint,
    given,
    options,
  }: Comparing & { readonly checkpoint: Checkpoint; readonly given: RunData | undefined },
): Promise<Comparison> {
  const { signal, onProgress } = options;
  const { model, description } = checkpoint;
  const part = given && spreadImages(given.data.val, MOST_COMPARED);
  const tiles = given && taskOptions(given.recipe).images.tiles;
  const images: Pick<CompareOptions, 'images' | 'total' | 'evaluators'> =
    given && part
      ? {
          images: imagesOf(viewsOf(part, tiles), given.recipe, model.task.evaluateSize ?? model.size, signal),
          total: part.annotations.length,
          evaluators: {
            checkpoint: () => (adapted.reference ?? given.task.evaluator)(part, { tiles }),
            exported: () => (adapted.evaluator ?? given.task.evaluator)(part, { tiles }),
          },
        }
      : {
          images: imagesIn(options.images!.slice(0, MOST_COMPARED), description, { signal, onProgress }),
          total: Math.min(options.images!.length, MOST_COMPARED),
          evaluators: undefined,
        };
  const reference = await runCheckpoint({ evaluate: net.program, [WRITTEN]: adapted.net.program }, net, backend);
  try {
    const exported = await format.open(folder, adapted.net);
    try {
      const { feed, finish, compared } = adapted;
      const chooses = finish !== undefined || choosesBoxes(adapted.net);
      const found = finish && ((outputs: Results) => finish.run(outputs));
      return await compareOutputs({
        checkpoint: reference,
        exported,
        feed,
        finish: found,
        compared,
        ...images,
        chooses,
        signal,
        onProgress,
      });
    } finally {
      exported.dispose();
    }
  } finally {
    reference.dispose();
  }
}

/** Programs on the engine that trains. */
async function runCheckpoint(programs: Programs, { params }: Net, backend: Backend): Promise<Running> {
  const session = await compile(programs, backend, params);
  return { ...session, engine: `${backend.name} ${backend.version}` };
}

/** Whether boxes are chosen inside the net, where the least change can choose another one. */
export const choosesBoxes = ({ program }: Net): boolean =>
  nodesOf(program).some(({ op }) => op === 'topK' || op === 'nonMaxSuppression');

/** Throws E_EXPORT_PARITY if the difference is larger than it may be. */
export async function checkParity(
  { parity: { images, maxDifference, metric }, worst }: Comparison,
  { directory, format, adapted, backend, options }: Omit<Comparing, 'net'> & { readonly directory: string },
): Promise<void> {
  const { quantize, tolerance } = options;
  const { tolerance: mayLose = SCORE_TOLERANCE, evaluator } = adapted;
  const lost = metric ? metric.checkpoint - metric.exported : 0;
  const off = evaluator ? lost : Math.abs(lost); // an application may do better by its own rules
  const isClose = quantize ? lost <= tolerance : maxDifference <= OUTPUT_TOLERANCE && off <= mayLose;
  if (images > 0 && isClose) return;
  const scores = metric
    ? `; ${metric.name} is ${metric.exported.toFixed(4)} instead of ${metric.checkpoint.toFixed(4)}`
    : '';
  const allowed = quantize
    ? `a loss of ${tolerance}`
    : `${OUTPUT_TOLERANCE} of the outputs and ${mayLose} of the score`;
  const where = { file: directory };
  const found = `outputs differ by up to ${maxDifference.toPrecision(2)} of the largest value on ${images} images${scores}`;
  const message = `the exported model is not the checkpoint's: ${found} (allowed: ${allowed})`;
  if (quantize)
    throw new FinetuneError({
      code: 'E_EXPORT_PARITY',
      message,
      where,
      fix: 'allow more with --tolerance, or leave --quantize out',
    });
  const layer = await locate(worst, { format, adapted, backend, directory });
  throw new FinetuneError({
    code: 'E_EXPORT_PARITY',
    message: `${message}; ${layer === undefined ? 'no layer differs when the model is written again' : `the first layer that differs is ${layer}`}`,
    where,
    fix: 'this is a mistake of ours: please report it with the name of the layer',
  });
}

/** The first layer that differs on the image with the largest difference. */
function locate(
  { pixels, output }: Comparison['worst'],
  {
    format,
    adapted: { net, feed },
    backend,
    directory,
  }: Omit<Comparing, 'options' | 'net'> & { readonly directory: string },
): Promise<string | undefined> {
  const run = async (running: Running, part: Net) => {
    try {
      const feeds = inputsOf(part.program).length > 0 ? feed(pixels) : {};
      return await running.run('evaluate', feeds);
    } finally {
      running.dispose();
    }
  };
  const runs = {
    checkpoint: async (part: Net) => run(await runCheckpoint({ evaluate: part.program }, part, backend), part),
    exported: (part: Net) =>
      withTemporaryFolder(`${directory}.`, async (folder) => {
        await format.write(folder, part);
        return run(await format.open(folder, part), part);
      }),
  };
  // What the files compute beyond the graph stands for all that it is computed of.
  const wanted = output in net.program.outputs ? output : Object.keys(net.program.outputs)[0]!;
  return firstDifference(net, wanted, runs, OUTPUT_TOLERANCE);
}
