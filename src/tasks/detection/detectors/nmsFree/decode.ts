import type { ClassIndex } from '../../../../data/sample.js';
import { clipBoxes, xyxy } from '../../../../geometry/box.js';
import type { DecodeOptions, Detector } from '../../detector.js';

/** The best scores of one image, without any suppression of overlaps: each object is predicted at one point. Every class of a point counts by
 *  itself. logits [P,classes], boxes [P,4]. */
export const nmsFreeDecoder =
  ({ numClasses, scoreThreshold, maxDetections, size }: DecodeOptions): Detector['decode'] =>
  ({ logits, boxes }) => {
    const least = Math.log(scoreThreshold / (1 - scoreThreshold));
    const found: { readonly at: number; readonly logit: number }[] = [];
    for (const [at, logit] of logits!.entries()) if (logit > least) found.push({ at, logit });
    const best = found.sort((one, other) => other.logit - one.logit || one.at - other.at).slice(0, maxDetections);
    const rows = best.map(({ at }) => Math.floor(at / numClasses));
    return {
      boxes: clipBoxes(xyxy(rows.flatMap((row) => [...boxes!.subarray(row * 4, row * 4 + 4)])), size),
      scores: best.map(({ logit }) => 1 / (1 + Math.exp(-logit))),
      classes: best.map(({ at }) => (at % numClasses) as ClassIndex),
    };
  };
