import type { Extent } from '../data/image/frame.js';
import { readImageHeader, type ImageSource } from '../data/image/image.js';
import { FinetuneError } from '../errors.js';
import type { Tile, Tiling } from '../geometry/tiles.js';
import type { ProgressEvent } from '../progress.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { inOrder } from './inOrder.js';
import { createFeeds } from './feeds.js';
import { mostAtOnce, inGroups, type Group, type Prepared, type Tiled } from './groups.js';
import { checkImage, readView, sourceOf, type ImageInput, type View } from './readImage.js';
import { readTiles } from './readTiles.js';
import type { Runner, Turn } from './runner.js';

/** What the models of all tasks can do. */
export interface Opened<Found> {
  /** Reads an image as in training and predicts: the path of a file, a URL, bytes, or pixels. Results are in pixels of
   *  the image as a person sees it (EXIF applied), best first.
   *  Throws E_FEED, E_IMAGE_MISSING, E_IMAGE_DECODE, E_IMAGE_FETCH, and E_MODEL_DISPOSED after `dispose`. */
  predict(image: ImageInput): Promise<readonly Found[]>;
  /** Predicts for many images and returns the results in their order, one by one: the next images are read while the
   *  network computes, and memory does not grow with their number. An image that cannot be read gives its error, and
   *  the rest goes on. Throws E_MODEL_DISPOSED, and the signal's reason when aborted. */
  predictAll(
    images: Iterable<ImageInput> | AsyncIterable<ImageInput>,
    options?: PredictAllOptions,
  ): AsyncGenerator<Predicted<Found>, void, undefined>;
  /** Predicts for images that came at the same time: they are read at once, and those of one size are run in one call of
   *  the network. A server uses it for requests that wait. Keep to one number of images besides 1: only the last two
   *  sizes of batches stay compiled. An image that cannot be read gives its error. Throws E_MODEL_DISPOSED. */
  predictTogether(images: readonly ImageInput[]): Promise<readonly Predicted<Found>[]>;
  /** The outputs of the network for an image, before scores and boxes are made of them: logits, offsets or maps, by
   *  name. Throws as `predict` does. */
  predictRaw(image: ImageInput): Promise<Readonly<Record<string, RawOutput>>>;
  dispose(): void;
}

export interface PredictAllOptions {
  readonly signal?: AbortSignal | undefined;
  /** Number of images, if they are no list: then the next ones are awaited to run several at once, which takes less time
   *  for each. Default: the length of a list; without one, each image is run as soon as it is there. */
  readonly total?: number | undefined;
  /** Gets a step after each image. */
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

/** Images that are read while the network computes, besides those of a batch. */
const AHEAD = 4;

/** Feeds images to a runner: reads them, runs the network and decodes its outputs. */
export function openPipeline<Prediction, Found>(
  runner: Runner<Prediction>,
  description: ModelDescription,
  { present, tiles }: PipelineOptions<Prediction, Found>,
): Opened<Found> {
  const feeds = createFeeds();
  const run = async (
    turn: Turn<Prediction>,
    views: readonly View[],
    batch: number,
  ): Promise<() => readonly Prediction[]> => {
    const [{ size }] = views as [View];
    const results = await feeds.using(views, batch, (pixels) => turn.run(pixels, batch, size));
    const origins = views.map(({ origin }) => origin);
    return () => turn.model.task.decode(results, origins);
  };
  const runOnTiles = async (
    turn: Turn<Prediction>,
    { source, width, height }: Tiled,
    { merge, ...how }: TileOptions<Prediction>,
  ): Promise<() => readonly Prediction[]> => {
    const parts: TilePrediction<Prediction>[] = [];
    for await (const { tile, view } of readTiles(source, { width, height }, description, how))
      parts.push({ tile, found: (await run(turn, [view], 1))()[0]! });
    return () => [merge(parts, { width, height })];
  };
  /** Runs the network on the images of a group, and returns what decodes its outputs. */
  const compute = (turn: Turn<Prediction>, group: readonly Prepared[], batch: number) => {
    const [first] = group as [Prepared];
    if ('source' in first) return runOnTiles(turn, first, tiles!);
    const views = group.flatMap((image) => ('view' in image ? image.view : []));
    return run(turn, views, batch);
  };
  const answer = async (group: Group, batch: number, lanes = 1): Promise<() => Predicted<Found>[]> => {
    const images = group.flatMap((image) => (image instanceof FinetuneError ? [] : [image]));
    let failed: FinetuneError | undefined;
    let decode = (): readonly Prediction[] => [];
    try {
      if (images.length > 0) decode = await runner.inTurn((turn) => compute(turn, images, batch), lanes);
    } catch (error) {
      if (!(error instanceof FinetuneError && error.code.startsWith('E_IMAGE_'))) throw error;
      failed = error; // of a tile, which is in a group of its own
    }
    return () => {
      const predictions = decode().values();
      return group.map((image) => {
        const error = image instanceof FinetuneError ? image : failed;
        if (error || image instanceof FinetuneError) return { error: error! };
        const { width, height } = image;
        return { width, height, predictions: present(predictions.next().value!) };
      });
    };
  };
  /** Reads an image, or only its size if it is to be read tile by tile. */
  const prepare = async (image: ImageSource | URL): Promise<Prepared> => {
    const source = await sourceOf(image);
    const { width, height } = await readImageHeader(source);
    if (tiles && Math.max(width, height) > tiles.tiling.size) return { source, width, height };
    return { width, height, view: await readView(source, { width, height }, description) };
  };
  return {
    async predict(given) {
      const image = checkImage(given);
      // The image is read in its turn, so that a thousand calls at once do not read a thousand images.
      return runner.inTurn(async (turn) => present((await compute(turn, [await prepare(image)], 1))()[0]!));
    },
    async *predictAll(images, { signal, onProgress, total = Array.isArray(images) ? images.length : undefined } = {}) {
      const most = mostAtOnce(description, total);
      const lanes = Math.min(runner.mostLanes, most);
      const batch = lanes > 1 ? 1 : Math.min(runner.mostImages, most);
      const read = async (given: unknown): Promise<Prepared> => prepare(checkImage(given));
      const readOrFail = (given: unknown) => (signal?.aborted ? stoppedBy(signal) : read(given).catch(errorOf));
      const prepared = inOrder<unknown, Prepared | FinetuneError>(images, readOrFail, AHEAD + lanes * batch);
      let done = 0;
      // The network computes for a group while the outputs for the one before it are decoded, and used.
      const answers = inOrder(inGroups(prepared, batch), (group) => answer(group, batch, lanes), lanes + 1);
      for await (const decode of answers) {
        signal?.throwIfAborted();
        for (const result of decode()) {
          yield result;
          signal?.throwIfAborted();
          done++;
          onProgress?.({ phase: 'predict', done, total: total ?? done });
        }
      }
    },
    async predictTogether(images) {
      const read = async (given: unknown): Promise<Prepared> => prepare(checkImage(given));
      const prepared = await Promise.all(images.map((image) => read(image).catch(errorOf)));
      const most = Math.min(runner.mostImages, images.length);
      const results: Predicted<Found>[] = [];
      for await (const group of inGroups(fromList(prepared), most)) {
        const views = group.filter((image) => 'view' in image).length;
        results.push(...(await answer(group, views > 1 ? most : 1))());
      }
      return results;
    },
    async predictRaw(given) {
      const image = checkImage(given);
      return runner.inTurn(async (turn) => {
        const source = await sourceOf(image);
        const view = await readView(source, await readImageHeader(source), description);
        const { size } = view;
        const { outputs } = turn.model.task.build({ batch: 1, size, trainBatchNorm: () => false });
        const results = await feeds.using([view], 1, (pixels) => turn.run(pixels, 1, size));
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

// eslint wants an await in every async generator; the items are there already.
async function* fromList<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* await Promise.resolve(items);
}

const stoppedBy = (signal: AbortSignal): Promise<never> => Promise.reject(signal.reason as Error);

/** An image that cannot be read is a result; a mistake of ours is not. */
function errorOf(error: unknown): FinetuneError {
  if (error instanceof FinetuneError && error.code !== 'E_INTERNAL') return error;
  throw error;
}
