import type { NumbersSection } from '../tasks/section.js';
import { findText, type MapsOf, type TextDetection } from '../tasks/text/findText.js';
import type { TextThresholds } from '../tasks/text/textBoxes.js';
import { combine, type IcdarResult, type IcdarScore, type ImageScore } from './hmean.js';

/** One image's maps as bytes, 255 for 1 and above: precise enough for thresholds in steps of 0.1, with a quarter of the
 *  memory. */
export interface KeptMaps extends Omit<MapsOf, 'maps'> {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export function keepMaps({ maps: { data, width, height }, origin }: MapsOf): KeptMaps {
  const bytes = Uint8Array.from(data as Float32Array, (value) => Math.min(255, Math.max(0, Math.round(value * 255))));
  return { bytes, width, height, origin };
}

/** Region thresholds are the rows, affinity thresholds the columns. */
const TEXTS = [0.4, 0.5, 0.6, 0.7, 0.8];
const LINKS = [0.1, 0.2, 0.3, 0.4, 0.5];

type ScoreAll = (found: readonly (readonly TextDetection[])[]) => IcdarResult;

/** The scores that other thresholds would have given on the same images. The best of them is not a score of the model,
 *  since the truth was used to choose it; if it is chosen on one half of the images and scored on the other, it is one. */
export function sweepThresholds(
  kept: readonly KeptMaps[],
  fixed: TextThresholds,
  scoreAll: ScoreAll,
  protocol: IcdarScore['protocol'],
): NumbersSection {
  const grid = TEXTS.flatMap((text) =>
    LINKS.map((link) => ({ text, link, images: [] as readonly ImageScore[], hmean: 0 })),
  );
  const found = grid.map((): TextDetection[][] => []);
  for (const { bytes, width, height, origin } of kept) {
    const maps = { data: Float32Array.from(bytes, (value) => value / 255), width, height };
    grid.forEach(({ text, link }, i) => found[i]!.push(findText({ maps, origin }, { ...fixed, text, link })));
  }
  const cells = grid.map(({ text, link }, i) => {
    const { score, images } = scoreAll(found[i]!);
    return { text, link, images, hmean: score.hmean };
  });
  const best = cells.reduce((one, other) => (other.hmean > one.hmean ? other : one));
  const tuned = [0, 1].flatMap((half) => {
    const isTuned = (_: unknown, i: number): boolean => i % 2 === half;
    const hmeanOf = ({ images }: (typeof cells)[number]): number =>
      combine(protocol, images.filter(isTuned)).score.hmean;
    const chosen = cells.reduce((one, other) => (hmeanOf(other) > hmeanOf(one) ? other : one));
    return chosen.images.filter((_, i) => !isTuned(_, i));
  });
  return {
    kind: 'numbers',
    title: 'Hmean by thresholds',
    text: `Rows: text threshold; columns: link threshold; lowText ${fixed.lowText}. Best over this sweep: ${best.hmean.toFixed(3)} at text ${best.text}, link ${best.link}, but these thresholds were chosen on the same images, so this is not a score of the model.`,
    rows: [
      ...TEXTS.map((text) => ({
        name: `text ${text}`,
        numbers: cells.filter((cell) => cell.text === text).map(({ link, hmean }) => [`link ${link}`, hmean] as const),
      })),
      { name: 'chosen on the other half', numbers: [['Hmean', combine(protocol, tuned).score.hmean]] },
    ],
    note: 'Chosen on the other half: thresholds are chosen on every second image and scored on the others, and the other way round.',
  };
}
