import type { Extent } from '../data/image/frame.js';
import { readImageHeader, type ImageSource } from '../data/image/image.js';
import { FinetuneError } from '../errors.js';
import type { Tile, Tiling } from '../geometry/tiles.js';
import type { ProgressEvent } from '../progress.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { inOrder } from './inOrder.js';
import { checkImage, readView, type ImageInput, type View } from './readImage.js';
import { readTiles } from './readTiles.js';
import type { Runner, Turn } from './runner.js';

/** What the models of all tasks can do. */
export interface Opened<Found> {
  /** Reads an image as in training and predicts: the path of a file, its bytes, or pixels. Results are in pixels of
   *  the image as a person sees it (EXIF applied), best first.
   *  Throws E_FEED, E_IMAGE_MISSING, E_IMAGE_DECODE, and E_MODEL_DISPOSED after `dispose`. */
  predict(image: ImageInput): Promise<readonly Found[]>;
  /** Predicts for many images and returns the results in their order, one by one: the next images are read while the
   *  network computes, and memory does not grow with their number. An image that cannot be read gives its error, and
   *  the rest goes on. Throws E_MODEL_DISPOSED, and the signal's reason when aborted. */
  predictAll(
    images: Iterable<ImageInput> | AsyncIterable<ImageInput>,
    options?: PredictAllOptions,
  ): AsyncGenerator<Predicted<Found>, void, undefined>;
  /** The outputs of the network for an image, before scores and boxes are made of them: logits, offsets or maps, by
   *  name. Throws as `predict` does. */
  predictRaw(image: ImageInput): Promise<Readonly<Record<string, RawOutput>>>;
  dispose(): void;
}

export interface PredictAllOptions {
  readonly signal?: AbortSignal | undefined;
  /** Gets a step after each image: `total` is the length of a list, and otherwise what has been read so far. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The result for one of many images: what was found and the size of the image as a person sees it, or the error. */
export type Predicted<Found> =
  | { readonly width: number; readonly height: number; readonly predictions: readonly Found[]; readonly error?: never }
  | { readonly error: FinetuneError };

/** An output of the network for one image. */
export interface RawOutput {
  /** Without the axis of the batch. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface PipelineOptions<Prediction, Found> {
  readonly present: (prediction: Prediction) => readonly Found[];
  /** How large images are cut into tiles, and their predictions merged. */
  readonly tiles?: TileOptions<Prediction> | undefined;
}

export interface TileOptions<Prediction> {
  readonly tiling: Tiling;
  /** Whether the network sees the whole image, too. */
  readonly withWhole: boolean;
  /** Makes one prediction of those for the tiles; the tile of the whole image is undefined. */
  readonly merge: (parts: readonly TilePrediction<Prediction>[], image: Extent) => Prediction;
}

export interface TilePrediction<Prediction> {
  readonly tile: Tile | undefined;
  readonly found: Prediction;
}

/** An image that is read, or one that is to be read tile by tile. */
type Prepared = Extent & ({ readonly view: View } | { readonly source: ImageSource });
type Tiled = Extract<Prepared, { readonly source: ImageSource }>;

/** Images that are read while the network computes. */
const AHEAD = 4;

/** Feeds images to a runner: reads them, runs the network and decodes its outputs. */
export function openPipeline<Prediction, Found>(
  runner: Runner<Prediction>,
  description: ModelDescription,
  { present, tiles }: PipelineOptions<Prediction, Found>,
): Opened<Found> {
  const run = async (turn: Turn<Prediction>, { pixels, size, origin }: View): Promise<() => Prediction> => {
    const results = await turn.run(pixels, 1, size);
    return () => turn.model.task.decode(results, [origin])[0]!;
  };
  const runOnTiles = async (
    turn: Turn<Prediction>,
    { source, width, height }: Tiled,
    { merge, ...how }: TileOptions<Prediction>,
  ): Promise<() => Prediction> => {
    const parts: TilePrediction<Prediction>[] = [];
    for await (const { tile, view } of readTiles(source, { width, height }, description, how))
      parts.push({ tile, found: (await run(turn, view))() });
    return () => merge(parts, { width, height });
  };
  const compute = (turn: Turn<Prediction>, image: Prepared): Promise<() => Prediction> =>
    'source' in image ? runOnTiles(turn, image, tiles!) : run(turn, image.view);
  /** Runs the network, and returns what decodes its outputs. */
  const answer = async (image: Prepared | FinetuneError): Promise<() => Predicted<Found>> => {
    if (image instanceof FinetuneError) return () => ({ error: image });
    const { width, height } = image;
    try {
      const decode = await runner.inTurn((turn) => compute(turn, image));
      return () => ({ width, height, predictions: present(decode()) });
    } catch (error) {
      if (error instanceof FinetuneError && error.code.startsWith('E_IMAGE_')) return () => ({ error }); // of a tile
      throw error;
    }
  };
  /** Reads an image, or only its size if it is to be read tile by tile. */
  const prepare = async (source: ImageSource): Promise<Prepared> => {
    const { width, height } = await readImageHeader(source);
    if (tiles && Math.max(width, height) > tiles.tiling.size) return { source, width, height };
    return { width, height, view: await readView(source, { width, height }, description) };
  };
  return {
    async predict(given) {
      const image = checkImage(given);
      // The image is read in its turn, so that a thousand calls at once do not read a thousand images.
      return runner.inTurn(async (turn) => present((await compute(turn, await prepare(image)))()));
    },
    async *predictAll(images, { signal, onProgress } = {}) {
      const total = Array.isArray(images) ? images.length : undefined;
      let done = 0;
      const read = async (given: unknown): Promise<Prepared> => prepare(checkImage(given));
      const readOrFail = (given: unknown) => (signal?.aborted ? stoppedBy(signal) : read(given).catch(errorOf));
      const prepared = inOrder<unknown, Prepared | FinetuneError>(images, readOrFail, AHEAD);
      // The network computes for an image while the outputs for the one before it are decoded, and used.
      for await (const decode of inOrder(prepared, answer, 2)) {
        signal?.throwIfAborted();
        yield decode();
        done++;
        onProgress?.({ phase: 'predict', done, total: total ?? done });
      }
    },
    async predictRaw(given) {
      const image = checkImage(given);
      return runner.inTurn(async (turn) => {
        const { pixels, size } = await readView(image, await readImageHeader(image), description);
        const { outputs } = turn.model.task.build({ batch: 1, size, trainBatchNorm: () => false });
        const results = await turn.run(pixels, 1, size);
        return Object.fromEntries(
          Object.entries(outputs).map(([name, { shape }]) => [name, { shape: shape.slice(1), data: results[name]! }]),
        );
      });
    },
    dispose: () => {
      runner.dispose();
    },
  };
}

const stoppedBy = (signal: AbortSignal): Promise<never> => Promise.reject(signal.reason as Error);

/** An image that cannot be read is a result; a mistake of ours is not. */
function errorOf(error: unknown): FinetuneError {
  if (error instanceof FinetuneError && error.code !== 'E_INTERNAL') return error;
  throw error;
}
