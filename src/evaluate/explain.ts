/** One image's true and detected boxes as x1, y1, x2, y2. A size of 0 is unknown. */
export interface ComparedImage {
  readonly width: number;
  readonly height: number;
  readonly truth: readonly LabelledBox[];
  readonly detections: readonly LabelledBox[];
}

export interface LabelledBox {
  readonly category: string;
  readonly box: Corners;
}

type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

/** Lowest score above which detections were probably cut off, so that they cannot reach the high recalls that mAP
 *  includes. */
const HIGHEST_LOWEST_SCORE = 0.05;

/** The warning for detections that were cut off at a score before mAP was computed. Undefined if they were not, or if no
 *  object is left that they could have found. */
export function warnOfThreshold(lowestScore: number, images: () => readonly ComparedImage[]): string | undefined {
  if (!(lowestScore > HIGHEST_LOWEST_SCORE) || lowestScore === Infinity) return undefined;
  if (!images().some(hasUnfound)) return undefined;
  return (
    `warning: the lowest score is ${lowestScore.toPrecision(3)}: detections below it seem to be left out, so that the highest recall ` +
    `cannot be reached and mAP is too low (keep results down to a score of 0.05 or less)`
  );
}

/** Whether no detection of its category overlaps an object of the image. */
const hasUnfound = ({ truth, detections }: ComparedImage): boolean =>
  truth.some((object) =>
    detections.every(({ category, box }) => category !== object.category || !(iou(object.box, box) > 0.5)),
  );

/** Number of detections that are examined: enough to tell. */
const MOST_DETECTIONS = 20_000;
/** Image sizes of networks, and units of coordinates. */
const SCALES = [1, 100, 224, 300, 320, 384, 416, 512, 608, 640, 800, 1000, 1024, 1280];

type Reading = (box: Corners, image: ComparedImage) => Corners;

/** Other possible meanings of the four numbers of a detection. Boxes are given as x, y, x + w, y + h. */
const READINGS: readonly (readonly [says: string, read: Reading])[] = [
  ['the boxes look like x1, y1, x2, y2: write x, y, width, height', ([x, y, x2, y2]) => [x, y, x2 - x, y2 - y]],
  [
    'the boxes look like centre x, centre y, width, height: write the top left corner',
    ([x, y, x2, y2]) => [x - (x2 - x) / 2, y - (y2 - y) / 2, x + (x2 - x) / 2, y + (y2 - y) / 2],
  ],
  ['x and y look swapped', ([x, y, x2, y2]) => [y, x, y2, x2]],
  ...SCALES.map((scale): readonly [string, Reading] => [
    scale === 1
      ? 'the boxes look normalised to 0 … 1: multiply by the width and height of the image'
      : `the boxes look like pixels of a ${scale}×${scale} image: scale them to the image's own size`,
    ([x1, y1, x2, y2], { width, height }) => [
      (x1 * width) / scale,
      (y1 * height) / scale,
      (x2 * width) / scale,
      (y2 * height) / scale,
    ],
  ]),
];

export interface Explanation {
  /** Possible reasons, a sentence each. */
  readonly reasons: readonly string[];
  /** Another interpretation of the results fits so well that it must be right: it is shown for a low score, too. */
  readonly isCertain: boolean;
}

/** Explains why the score of boxes is zero, or nearly so. An interpretation is accepted if by it a tenth of the objects
 *  (or of the detections, if these are fewer) find a partner with IoU > 0.5. */
export function explainZero(images: readonly ComparedImage[]): Explanation {
  const doubtful = (...reasons: string[]): Explanation => ({ reasons, isCertain: false });
  const detections = images.reduce((sum, image) => sum + image.detections.length, 0);
  const truth = images.reduce((sum, image) => sum + image.truth.length, 0);
  if (truth === 0) return doubtful('the ground truth has no object');
  if (detections === 0) return doubtful('the results have no detection');
  const withBoth = images.filter((image) => image.truth.length > 0 && image.detections.length > 0);
  if (withBoth.length === 0)
    return doubtful('no detection is on an image that has an object: the image ids do not seem to match');

  const sample = thinned(withBoth, MOST_DETECTIONS);
  const asIs = agreement(sample, (box) => box);
  const readings = READINGS.map(([says, read]) => ({ says, ...agreement(sample, read) }));
  const best = readings.reduce((a, b) => (b.share > a.share ? b : a));
  if (best.share >= PROOF && best.share > 2 * asIs.share) return { reasons: [best.says], isCertain: true };
  if (asIs.share >= PROOF) return explainPairs(asIs.pairs);
  const farthest = sample
    .flatMap((image) => image.detections)
    .reduce((most, { box }) => Math.max(most, ...box), -Infinity);
  if (farthest <= 1) return { reasons: ['the boxes look normalised to 0 … 1: write pixels'], isCertain: true };
  const disjoint = sample.every((image) => {
    const names = new Set(image.truth.map(({ category }) => category));
    return image.detections.every(({ category }) => !names.has(category));
  });
  return doubtful(
    'hardly any detection lies on an object (IoU > 0.5)',
    ...(disjoint ? ['no detection has a category that its image has: check the image ids'] : []),
  );
}

const PROOF = 0.1;

function thinned(images: readonly ComparedImage[], most: number): readonly ComparedImage[] {
  let left = most;
  return images.filter((image) => (left -= image.detections.length) > -image.detections.length);
}

/** The share of the objects (or of the detections, if these are fewer) that overlap each other by an interpretation,
 *  whatever their categories, and the pairs. */
function agreement(images: readonly ComparedImage[], read: Reading) {
  const pairs: (readonly [truth: string, detected: string])[] = [];
  let most = 0;
  for (const image of images) {
    most += Math.min(image.truth.length, image.detections.length);
    const boxes = image.detections.map(({ box }) => read(box, image));
    for (const object of image.truth) {
      const match = boxes.findIndex((box) => iou(object.box, box) > 0.5);
      if (match >= 0) pairs.push([object.category, image.detections[match]!.category]);
    }
  }
  return { share: pairs.length / most, pairs };
}

function explainPairs(pairs: readonly (readonly [truth: string, detected: string])[]): Explanation {
  const crossed = pairs.filter(([truth, detected]) => truth !== detected);
  if (crossed.length < pairs.length / 2)
    return { reasons: ['boxes overlap objects (IoU > 0.5), but hardly any counts by the protocol'], isCertain: false };
  const counts = new Map<string, number>();
  for (const [truth, detected] of crossed) {
    const text = `"${truth}" is detected as "${detected}"`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const listed = common.map(([text, count]) => `${text} (${count} ×)`).join(', ');
  return { reasons: [`the boxes fit, but the categories do not: ${listed}`], isCertain: true };
}

function iou(a: Corners, b: Corners): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  const area = (box: Corners) => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
}
