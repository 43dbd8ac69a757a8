import { matchPredictions } from '../evaluate/matchPredictions.js';
import { iou, xyxy } from '../geometry/box.js';
import type { Corners, PredictedBox, TruthBox } from '../tasks/section.js';
import { countReliability, type MatchedImage, type Reliability } from './reliability.js';
import { ranked, type LookedAtBoxes, type Suspect } from './suspect.js';

export interface SuspectOptions {
  /** Score from which a detection is taken for an object. */
  readonly confident?: number;
}

/** IoU of a label and a detection from which they are about one object. */
const SAME_OBJECT = 0.5;
/** IoU below which a label's box does not fit: two careful people agree better. */
const WELL_PLACED = 0.75;
/** Weight of a box that fits in part: detectors place boxes less exactly than people. */
const INEXACT = 0.5;
/** IoU from which a detection that finds no label may mean a label whose box is wrong. */
const NEAR = 0.2;
/** Least score of a class that a label of it is given, so that the share of another class stays below 1. */
const NO_SCORE = 0.02;
/** Share of labels without an object that is expected before looking. */
const EXPECTED = 0.03;
/** Share of a detection inside an ignored region from which it is the region's. */
const INSIDE = 0.5;

/** Labels of boxes that a detector disagrees with. `found` must have detections of low scores, too: they tell that an
 *  object is there although the model is not sure. */
export function suspectObjects(images: readonly LookedAtBoxes[], { confident = 0.3 }: SuspectOptions = {}): Suspect[] {
  const matched = images.map((image) => ({ image, matches: matchPredictions(image.truth, image.found) }));
  const reliability = countReliability(matched, confident);
  return ranked(matched.flatMap((image) => judge(image, reliability)));
}

/** What a label or a detection is accused of. */
interface Charge {
  readonly kind: 'class' | 'loose';
  readonly row: number;
  readonly detection: number;
  readonly disagreement: number;
}

function judge(matched: MatchedImage, reliability: Reliability): Suspect[] {
  const charges = chargesOf(matched, reliability).sort((a, b) => b.disagreement - a.disagreement);
  const [rows, detections] = [new Set<number>(), new Set<number>()];
  const made = charges.filter(({ row, detection }) => {
    if (rows.has(row) || detections.has(detection)) return false; // one suspicion for each label and each detection
    rows.add(row);
    detections.add(detection);
    return true;
  });
  return [
    ...made.map((charge) => suspectOf(matched.image, charge)),
    ...unseen(matched, rows, reliability),
    ...missing(matched, detections, reliability),
  ];
}

/** Labels whose class or box a detection contradicts. */
function chargesOf({ image: { truth, found }, matches }: MatchedImage, { trust }: Reliability): Charge[] {
  const [labels, boxes] = [cornersOf(truth), cornersOf(found)];
  return truth.flatMap(({ label, ignore }, row) => {
    if (ignore) return [];
    const overlaps = found.map((_, d) => iou(labels, row, boxes, d));
    const isNear = (d: number) => found[d]!.label === label && (matches[d] === row || matches[d] === -1);
    const own = Math.max(NO_SCORE, ...found.map(({ score }, d) => (isNear(d) && overlaps[d]! >= NEAR ? score : 0)));
    const isFound = matches.includes(row);
    return found.flatMap((other, d): Charge[] => {
      const [overlap, believed] = [overlaps[d]!, other.score * trust(other.label)];
      if (matches[d] === row) {
        const disagreement = INEXACT * believed * Math.max(0, (WELL_PLACED - overlap) / (WELL_PLACED - SAME_OBJECT));
        return [{ kind: 'loose', row, detection: d, disagreement }];
      }
      if (matches[d] !== -1 || overlap < NEAR) return [];
      // A neighbour of the detection's class may be what it found.
      const neighbours = truth.map((one, i) => (one.label === other.label && i !== row ? iou(labels, i, boxes, d) : 0));
      const rest = 1 - Math.max(...neighbours);
      if (other.label === label)
        return isFound || overlap >= SAME_OBJECT
          ? []
          : [{ kind: 'loose', row, detection: d, disagreement: believed * rest }];
      if (overlap < SAME_OBJECT || other.score <= own) return [];
      // The label tells that there is an object, so a low score of its class counts for more than elsewhere.
      const preferred = other.score / (other.score + own);
      return [{ kind: 'class', row, detection: d, disagreement: Math.sqrt(believed) * preferred ** 2 * rest }];
    });
  });
}

function suspectOf(image: LookedAtBoxes, { kind, row, detection, disagreement }: Charge): Suspect {
  const [{ label, box }, found] = [image.truth[row]!, image.found[detection]!];
  return {
    ...identify(image),
    kind,
    row,
    label: { category: label, box },
    model: { category: found.label, score: found.score, box: found.box },
    disagreement,
  };
}

/** Labels at whose place nothing was found. The disagreement is the probability that there is no object: it is small
 *  where the model misses many objects that are there. */
function unseen({ image, matches }: MatchedImage, charged: ReadonlySet<number>, { sight }: Reliability): Suspect[] {
  const [labels, boxes] = [cornersOf(image.truth), cornersOf(image.found)];
  return image.truth.flatMap((object, row): Suspect[] => {
    if (object.ignore || charged.has(row) || matches.includes(row)) return [];
    if (image.found.some((_, d) => iou(labels, row, boxes, d) >= NEAR)) return [];
    const missed = 1 - sight(object);
    const disagreement = EXPECTED / (EXPECTED + (1 - EXPECTED) * missed);
    return [
      { ...identify(image), kind: 'unseen', row, label: { category: object.label, box: object.box }, disagreement },
    ];
  });
}

/** Detections at whose place there is no label. */
function missing({ image, matches }: MatchedImage, charged: ReadonlySet<number>, { trust }: Reliability): Suspect[] {
  const { truth, found } = image;
  const [labels, boxes] = [cornersOf(truth), cornersOf(found)];
  const kept: number[] = [];
  return found.flatMap(({ label, score, box }, d): Suspect[] => {
    if (matches[d] !== -1 || charged.has(d)) return [];
    const isKnown = truth.some(
      (object, row) => iou(labels, row, boxes, d) >= SAME_OBJECT || (object.ignore && inside(box, object.box) > INSIDE),
    );
    if (isKnown || kept.some((other) => iou(boxes, other, boxes, d) >= SAME_OBJECT)) return [];
    kept.push(d);
    const disagreement = score * trust(label) * (1 - sharedWith(truth, found[d]!));
    return [{ ...identify(image), kind: 'missing', model: { category: label, score, box }, disagreement }];
  });
}

const cornersOf = (boxes: readonly { readonly box: Corners }[]) => xyxy(boxes.flatMap(({ box }) => box));

/** How far a detection is explained by another label of its class: as a part of the object, or as a group of them. */
const sharedWith = (truth: readonly TruthBox[], { label, box }: PredictedBox): number =>
  Math.max(
    0,
    ...truth.map((object) => (object.label === label ? Math.max(inside(box, object.box), inside(object.box, box)) : 0)),
  );

/** Share of a box that is inside another one. */
function inside(box: Corners, other: Corners): number {
  const width = Math.min(box[2], other[2]) - Math.max(box[0], other[0]);
  const height = Math.min(box[3], other[3]) - Math.max(box[1], other[1]);
  const area = (box[2] - box[0]) * (box[3] - box[1]);
  return width <= 0 || height <= 0 || area <= 0 ? 0 : (width * height) / area;
}

const identify = ({ part, file, imageId }: LookedAtBoxes) => ({ part, file, imageId });
