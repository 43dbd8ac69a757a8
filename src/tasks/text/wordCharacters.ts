import { connectedComponents } from '../../geometry/components.js';
import { watershed } from '../../geometry/watershed.js';

/** Left, top, right, bottom. */
export type Cell = readonly [number, number, number, number];

/** The characters that were found in the region score of one rectified word. */
export interface WordCharacters {
  /** In cells of the crop, in reading order. */
  readonly boxes: readonly Cell[];
  /** Number of characters that the watershed found. */
  readonly found: number;
  /** 0.5 … 1. */
  readonly confidence: number;
  /** Whether the word was cut into equal parts, because too few or too many characters were found. */
  readonly isSplit: boolean;
}

/** The middle of a character is above this share of the highest score in its word. */
const FOREGROUND = 0.6;
/** A character ends at this share of the highest score: the value of the target's Gaussian two standard deviations from
 *  the middle, e⁻² (gaussianMap.ts). */
const BACKGROUND = 0.135;
/** A crop whose highest score is lower has no characters. */
const LEAST_PEAK = 0.15;
/** Middles with fewer cells are noise. */
const LEAST_AREA = 3;
/** Confidence of a word that was cut into equal parts, and of one whose length is unknown. */
const SPLIT_CONFIDENCE = 0.5;

/** Cut a word into characters by the region score on its rectified crop: Baek et al. 2019 (arXiv:1904.01941), section
 *  3.2.2. If n of l characters are found, the confidence is 1 − |l − n|/l, at least 0; below ½ the word is cut into l
 *  equal parts. region: [height, width]; length: characters of the word without spaces, 0 if its text is unknown. */
export function wordCharacters(
  region: Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
  length: number,
): WordCharacters {
  const down = runsDown(width, height, length);
  const boxes = cutByWatershed(region, width, height).sort((a, b) =>
    down ? a[1] + a[3] - b[1] - b[3] : a[0] + a[2] - b[0] - b[2],
  );
  const found = boxes.length;
  if (length === 0) return { boxes, found, confidence: SPLIT_CONFIDENCE, isSplit: false };
  const confidence = (length - Math.min(length, Math.abs(length - found))) / length;
  if (confidence >= SPLIT_CONFIDENCE) return { boxes, found, confidence, isSplit: false };
  const equal = Array.from({ length }, (_, i): Cell => {
    const [from, to] = [i / length, (i + 1) / length];
    return down ? [0, from * height, width, to * height] : [from * width, 0, to * width, height];
  });
  return { boxes: equal, found, confidence: SPLIT_CONFIDENCE, isSplit: true };
}

/** Whether the characters of a word stand one below the other. */
const runsDown = (width: number, height: number, length: number): boolean => length !== 1 && height > 1.5 * width;

function cutByWatershed(region: Float32Array, width: number, height: number): Cell[] {
  const peak = region.reduce((most, value) => Math.max(most, value), 0);
  if (peak < LEAST_PEAK) return [];
  const middles = connectedComponents(
    Uint8Array.from(region, (value) => (value > FOREGROUND * peak ? 1 : 0)),
    width,
    height,
  );
  const markers = middles.labels.map((label) =>
    label > 0 && middles.regions[label - 1]!.area >= LEAST_AREA ? label : 0,
  );
  const labels = watershed(region, markers, { width, height, floor: BACKGROUND * peak });
  const boxes = middles.regions.map((): [number, number, number, number] => [Infinity, Infinity, 0, 0]);
  for (let cell = 0; cell < labels.length; cell++) {
    const box = boxes[labels[cell]! - 1];
    if (!box) continue;
    const [x, y] = [cell % width, Math.floor(cell / width)];
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x + 1);
    box[3] = Math.max(box[3], y + 1);
  }
  return boxes.filter(([left]) => left < Infinity);
}
