import { spreadImages, withImages } from '../data/firstImages.js';
import { viewsOf } from '../data/views.js';
import { difference as relativeError } from '../engine/calibrate.js';
import { taskOptions } from '../run/taskOptions.js';
import type { Calibration } from './format.js';
import { choosesBoxes } from './gate.js';
import { imagesOf, type ReadImage } from './images.js';
import { mainNumber } from './parity.js';
import type { Checkpoint, Hooks, RunData } from './source.js';
import type { Adapted } from './targets/target.js';

/** Images that quantisation is calibrated with; fewer if they are large, since all are held at once. */
const [LEAST_IMAGES, MOST_IMAGES, MOST_PIXELS] = [8, 64, 16_000_000];
/** Difference of the outputs that is accepted, as a share of their size. */
const CLOSE = 0.05;
/** Those on which the loss of the score is measured. */
const MEASURED = 32;

/** Reads images of the training part, for ranges and for the loss of the score. */
export async function calibrate(
  { model }: Checkpoint,
  { recipe, data, task }: RunData,
  { adapted, tolerance, signal, onProgress }: Hooks & { readonly adapted: Adapted; readonly tolerance: number },
): Promise<Calibration> {
  const size = model.task.evaluateSize ?? model.size;
  const most = Math.max(LEAST_IMAGES, Math.min(MOST_IMAGES, Math.floor(MOST_PIXELS / (size[0] * size[1]))));
  const { tiles } = taskOptions(recipe).images;
  const part = spreadImages(viewsOf(data.train, tiles), most);
  const images: ReadImage[] = [];
  for await (const image of imagesOf(part, recipe, size, signal)) images.push(image);
  onProgress?.({ message: `calibrating on ${images.length} images of the training part` });
  const scoreOf = (results: Parameters<Calibration['lossOf']>[0]): number => {
    const samples = images.slice(0, results.length).map(({ sample }) => sample!);
    const ids = new Set(samples.map(({ imageId }) => imageId));
    const evaluator = (adapted.evaluator ?? task.evaluator)(
      withImages(
        part,
        part.annotations.filter(({ imageId }) => ids.has(imageId)),
      ),
      { tiles },
    );
    for (const [i, one] of results.entries())
      evaluator.add(evaluator.read(adapted.finish?.run(one) ?? one, [samples[i]!]));
    return mainNumber(evaluator).value;
  };
  return {
    feeds: images.map(({ pixels }) => adapted.feed(pixels)),
    measured: MEASURED,
    tolerance,
    lossOf: (ours, expected) => {
      const lost = Math.max(0, scoreOf(expected) - scoreOf(ours));
      const off = relativeError(ours, expected);
      // The score of few images is coarse, so that outputs must be close, too. A net that chooses boxes itself returns
      // them in another order at the least change.
      if (choosesBoxes(adapted.net)) return lost + tolerance * Math.min(0.5, off / 10);
      return Math.max(lost, (tolerance * off) / CLOSE);
    },
    ...(!choosesBoxes(adapted.net) && { sensitivityOf: relativeError }),
  };
}
