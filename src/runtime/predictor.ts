import { FinetuneError } from '../errors.js';
import { tilesOf } from '../geometry/tiles.js';
import { softmax } from '../tasks/classification/probabilities.js';
import type { DetectorDescription, TextDescription } from '../tasks/description/description.js';
import type { Detection, Detector } from '../tasks/detection/detector.js';
import { mergeDetections } from '../tasks/detection/mergeTiles.js';
import { readSuppressed, suppressingAt } from '../tasks/detection/suppressed.js';
import { toOriginal } from '../tasks/detection/toOriginal.js';
import { classesOf, objectsOf, wordsOf, type FoundClass, type FoundObject, type FoundWord } from '../tasks/found.js';
import { findText, mapsOf } from '../tasks/text/findText.js';
import { chooseThreshold } from '../tasks/threshold.js';
import { checkCard, type RuntimeCard } from './card.js';
import { detectorDecoder } from './decoders.js';
import type { Engine } from './engine.js';
import { readPixels, type RuntimeImage } from './image.js';
import type { Picture } from './transparency.js';
import { viewOf, type RuntimeView } from './view.js';

export interface PredictorOptions {
  /** Least score of what `predict` returns (for a classifier the least probability). Default: that of the card, which has
   *  the best F1 on the validation part; without one 0.3 for a detector, and 0 for others. */
  readonly scoreThreshold?: number;
}

interface Common<Found> {
  readonly scoreThreshold: number;
  /** What the model finds in an image, best first, in pixels of the image. Throws E_FEED, E_RUNTIME_OUTPUT, and what the
   *  engine throws. */
  predict(image: RuntimeImage): Promise<readonly Found[]>;
}
export interface DetectorPredictor extends Common<FoundObject> {
  readonly task: 'detection';
}
export interface ClassifierPredictor extends Common<FoundClass> {
  readonly task: 'classification';
}
export interface TextPredictor extends Common<FoundWord> {
  readonly task: 'text';
}
export type Predictor = DetectorPredictor | ClassifierPredictor | TextPredictor;

type Outputs = Readonly<Record<string, Float32Array>>;

/** Makes the predictor of an exported model: `card` is the content of its model-card.json, and `engine` the model itself, loaded by
 *  onnxRuntime, tensorFlow or liteRt. Throws E_MODEL_FOLDER. */
export function createPredictor(
  card: unknown,
  engine: Engine,
  { scoreThreshold: asked }: PredictorOptions = {},
): Predictor {
  const checked = checkCard(card);
  const { decode } = checked;
  const description = suppressingAt(decode.nms?.place, checked.description);
  const scoreThreshold = chooseThreshold(description, asked, decode.thresholds.score ?? undefined).value;
  const { categories } = description;
  const see = (view: RuntimeView): Promise<Outputs> => compute(view, checked, engine);
  const withView = async <T>(
    image: RuntimeImage,
    decodeView: (outputs: Outputs, view: RuntimeView) => T,
  ): Promise<T> => {
    const view = viewOf(await readPixels(image), checked);
    return decodeView(await see(view), view);
  };
  switch (description.task) {
    case 'detection': {
      const find: Detector['decode'] =
        decode.nms?.place === 'in'
          ? (outputs) => readSuppressed(outputs, scoreThreshold)
          : detectorDecoder(decode, description, scoreThreshold);
      const detect = async (view: RuntimeView) => toOriginal(find(await see(view)), view.origin);
      return {
        task: 'detection',
        scoreThreshold,
        predict: async (image) =>
          objectsOf(
            await detectOnTiles(await readPixels(image), checked, { ...description.selection, scoreThreshold }, detect),
            categories,
          ),
      };
    }
    case 'classification':
      return {
        task: 'classification',
        scoreThreshold,
        predict: (image) =>
          withView(image, ({ logits }) =>
            classesOf({ imageId: 0, probabilities: softmax(logits!) }, categories, scoreThreshold),
          ),
      };
    case 'text':
      return {
        task: 'text',
        scoreThreshold,
        predict: (image) =>
          withView(image, (outputs, view) => wordsOf(words(outputs, view, description), scoreThreshold)),
      };
    default:
      throw new FinetuneError({
        code: 'E_MODEL_FOLDER',
        message: 'the card describes a model of an unknown task',
        fix: 'update tfjs-finetune',
      });
  }
}

const words = (outputs: Outputs, { origin }: RuntimeView, { evaluateSize, thresholds }: TextDescription) =>
  mapsOf(outputs, [origin], evaluateSize).flatMap((maps) => findText(maps, thresholds));

async function compute({ pixels }: RuntimeView, { input, outputs }: RuntimeCard, engine: Engine): Promise<Outputs> {
  const found = await engine.run(
    { name: input.name, shape: input.shape, data: pixels },
    outputs.map(({ name }) => name),
  );
  for (const { name, shape } of outputs) {
    const length = shape.reduce((product, side) => product * side, 1);
    if (found[name]?.length !== length)
      throw new FinetuneError({
        code: 'E_RUNTIME_OUTPUT',
        message: `the output "${name}" has ${found[name]?.length ?? 0} values, and the card says [${shape.join(', ')}]`,
        fix: 'load the model that lies beside this model-card.json',
      });
  }
  return found;
}

/** Detects on the whole image, and on its tiles if the model learned from tiles and the image is larger than one. */
async function detectOnTiles(
  image: Picture,
  card: RuntimeCard,
  selection: DetectorDescription['selection'],
  detect: (view: RuntimeView) => Promise<Detection[]>,
): Promise<readonly Detection[]> {
  const tiling = card.input.tiles;
  const whole = await detect(viewOf(image, card));
  const tiles = tiling ? tilesOf(image, tiling) : [];
  if (!tiling || tiles.length < 2) return whole;
  const parts: Parameters<typeof mergeDetections>[0][number][] = [{ tile: undefined, found: whole }];
  for (const tile of tiles) parts.push({ tile, found: await detect(viewOf(image, card, tile)) });
  return mergeDetections(parts, image, selection, tiling.size * tiling.overlap);
}
