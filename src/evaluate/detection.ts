import type { Dataset, Sample } from '../data/sample.js';
import type { Tiling } from '../geometry/tiles.js';
import type { Detection } from '../tasks/detection/detector.js';
import { mergeDetections } from '../tasks/detection/mergeTiles.js';
import type { SelectOptions } from '../tasks/detection/options.js';
import type { Evaluator } from '../tasks/evaluator.js';
import type { Section } from '../tasks/section.js';
import type { ScoredImages } from '../tasks/task.js';
import type { Network, Origin } from '../tasks/network.js';
import { cocoPair, scoreCoco, toCocoDetections, withFileNames } from './coco.js';
import { matchCoco } from './cocoMatches.js';
import type { CocoScore } from './cocoScore.js';
import { errorSections } from './errorSections.js';
import { calibrationOfMatches, operatingPointOf, type Matches } from './matches.js';
import { SHOWN_SCORE, worstImages } from './worstImages.js';

export interface DetectionEvaluation extends ScoredImages {
  /** Which of the boxes are detections, where those of several tiles are merged. */
  readonly selection: Omit<SelectOptions, 'numClasses'>;
}

/** Scores detections by COCO's protocol; predictions.json is a COCO result file, with the names
 *  of the images' files. */
export function detectionEvaluator(
  network: Pick<Network<readonly Detection[]>, 'decode'>,
  dataset: Dataset,
  { tiles, selection }: DetectionEvaluation,
): Evaluator<CocoScore> {
  const views: FoundInView[] = [];
  return {
    read(outputs, samples) {
      const decoded = network.decode(outputs, samples.map(originOf));
      return samples.map(({ imageId, view, originalWidth: width, originalHeight: height }, i): FoundInView => ({
        imageId,
        view,
        image: { width, height },
        found: decoded[i]!,
      }));
    },
    add: (read) => void views.push(...(read as readonly FoundInView[])),
    finish() {
      const found = tiles
        ? [...groupByImage(views).values()].flatMap((parts) => mergeViews(parts, tiles, selection))
        : views.flatMap((view) => view.found);
      const predictions = toCocoDetections(found, dataset);
      const pair = cocoPair(dataset, predictions);
      const metric = scoreCoco(pair);
      const { AP, AP50, AP75, AR100 } = metric;
      let matched: Matches | undefined;
      const matches = (): Matches => (matched ??= matchCoco(pair.truth, pair.detections, 'bbox'));
      return {
        metric,
        numbers: { AP, AP50, AP75, AR100 },
        predictions: withFileNames(predictions, dataset),
        operatingPoint: () => operatingPointOf(matches().classes),
        calibration: () => calibrationOfMatches(matches().classes),
        sections: ({ images }) => [
          ...cocoSections(metric),
          ...errorSections(pair, matches()),
          {
            kind: 'boxes',
            examples: worstImages(dataset, predictions, images),
            names: dataset.categories.map(({ name }) => name),
            scoreThreshold: SHOWN_SCORE,
          },
        ],
      };
    },
  };
}

/** What was found in an image, or in a tile of it. */
interface FoundInView {
  readonly imageId: string | number;
  readonly view: Sample['view'];
  /** Size of the whole image, in pixels. */
  readonly image: { readonly width: number; readonly height: number };
  readonly found: readonly Detection[];
}

function groupByImage(views: readonly FoundInView[]): Map<string | number, FoundInView[]> {
  const byImage = new Map<string | number, FoundInView[]>();
  for (const view of views) {
    const same = byImage.get(view.imageId);
    if (same) same.push(view);
    else byImage.set(view.imageId, [view]);
  }
  return byImage;
}

/** The detections of an image, of which the network saw the tiles and the whole; a small image only as a whole. */
function mergeViews(
  parts: readonly FoundInView[],
  { size, overlap }: Tiling,
  selection: DetectionEvaluation['selection'],
): readonly Detection[] {
  const [{ imageId, view, image, found }] = parts as [FoundInView];
  if (parts.length === 1 && !view) return found;
  const tiles = parts.map((part) => ({ tile: part.view, found: part.found }));
  const merged = mergeDetections(tiles, image, selection, size * overlap);
  return merged.map((detection) => ({ ...detection, imageId }));
}

/** The report's section with COCO's twelve numbers, in two rows of six, and the one with the categories. */
export function cocoSections({ perCategory, ...score }: CocoScore): Section[] {
  const { AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl } = score;
  return [
    {
      kind: 'numbers',
      title: 'Score',
      text: 'COCO AP @[.50:.05:.95], maxDets 100: the mean over IoU thresholds, categories and recalls, computed as in pycocotools.',

      rows: [
        {
          name: 'AP',
          numbers: [
            ['all', AP],
            ['IoU .50', AP50],
            ['IoU .75', AP75],
            ['small', APs],
            ['medium', APm],
            ['large', APl],
          ],
        },
        {
          name: 'AR',
          numbers: [
            ['1 box', AR1],
            ['10 boxes', AR10],
            ['100', AR100],
            ['small', ARs],
            ['medium', ARm],
            ['large', ARl],
          ],
        },
      ],
      note: 'AR: the recall with so many boxes per image. Small: area below 32² pixels; large: above 96². “–”: there is no such object.',
    },
    {
      kind: 'categories',
      heads: ['AP50', 'AP'],
      rows: perCategory.map(({ name, AP, AP50 }) => ({ name, numbers: [AP50, AP] })),
      counted: 'objects',
    },
  ];
}

const originOf = ({ imageId, placement, originalWidth, originalHeight, picture }: Sample): Origin => ({
  imageId,
  placement,
  originalWidth,
  originalHeight,
  picture,
});
