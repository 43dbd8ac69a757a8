import { iou, xyxy } from '../geometry/box.js';
import type { Corners, PredictedBox, TruthBox } from '../tasks/section.js';
import type { LookedAtBoxes } from './suspect.js';

/** What a model says about a label. */
export interface LabelEvidence {
  /** Numbers that tell right labels from wrong ones, for fitLogOdds. */
  readonly signs: readonly number[];
  /** The detection of another class at its place that no other label explains. */
  readonly other: PredictedBox | undefined;
  /** The detection of its class beside it that no other label explains. */
  readonly beside: PredictedBox | undefined;
}

type Size = Pick<LookedAtBoxes, 'width' | 'height'>;

/** IoU of a label and a detection from which they are about one object, and of a detection that says where it is. */
export const SAME_PLACE = 0.5;
const TIGHT = 0.7;
const NEAR = 0.1;
const BESIDE = 0.6;
/** IoU with another label at which that one explains a detection fully. */
const EXPLAINED = 0.7;
/** Least and highest score that counts, so that log-odds stay finite. */
const [LEAST, HIGHEST] = [0.008, 0.995];

const logOdds = (score: number): number => {
  const p = Math.min(HIGHEST, Math.max(LEAST, score));
  return Math.log(p / (1 - p));
};

/** The most that one look at the image says about a label, and the detections that say it. */
interface LookEvidence {
  readonly own: number;
  readonly tight: number;
  readonly any: number;
  readonly other: number;
  readonly otherTight: number;
  readonly off: number;
  readonly offFit: number;
  readonly offUnlike: number;
  readonly ownFit: number;
  readonly otherFound: PredictedBox | undefined;
  readonly offFound: PredictedBox | undefined;
}

/** Compares a label with what the model sees in each of several looks, next to the other labels of the image. */
export function labelEvidence(
  object: Pick<TruthBox, 'label' | 'box'>,
  looks: readonly (readonly PredictedBox[])[],
  others: readonly TruthBox[],
  image: Size,
): LabelEvidence {
  const { label, box } = object;
  const all = looks.map((seen) => evidenceOf(object, seen, others));
  const strongest = (strength: (one: LookEvidence) => number): LookEvidence =>
    all.reduce((best, one) => (strength(one) > strength(best) ? one : best));
  const other = strongest((one) => one.other);
  const off = strongest((one) => one.off);
  const [ours, theirs, beside] = [strongest((one) => one.own).own, other.other, off.off].map(logOdds) as [
    number,
    number,
    number,
  ];
  const alike = others.filter((one) => one.label === label);
  const overlaps = others.map((one) => overlap(one.box, box));
  const signs = [
    ...[ours, theirs, beside, ours - theirs, ours - beside],
    ...[sideOf(box, image), Math.log(areaOf(box) || LEAST), Math.log((box[2] - box[0]) / (box[3] - box[1])) || 0],
    ...[Math.min(3, alike.filter((one) => overlap(one.box, box) > 0.05).length), Math.log(1 + alike.length)],
    ...[Math.log(1 + others.length), new Set(others.map((one) => one.label)).size, Math.max(0, ...overlaps)],
    ...all.flatMap((one) => {
      const [own, against, moved] = [logOdds(one.own), logOdds(one.other), logOdds(one.off)];
      return [
        ...[own, logOdds(one.tight), logOdds(one.any), against, logOdds(one.otherTight), moved],
        ...[one.offFit, Math.min(2, one.offUnlike), one.ownFit, own - against, own - moved],
      ];
    }),
  ];
  return { signs, other: other.otherFound, beside: off.offFound };
}

function evidenceOf(
  { label, box }: Pick<TruthBox, 'label' | 'box'>,
  seen: readonly PredictedBox[],
  others: readonly TruthBox[],
): LookEvidence {
  let [own, any, tight, otherTight, ownFit, ownWeight] = [0, 0, 0, 0, 0, 0];
  let other = { strength: 0, found: undefined as PredictedBox | undefined };
  let off = { strength: 0, fit: 0, unlike: 0, found: undefined as PredictedBox | undefined };
  for (const found of seen) {
    const { score } = found;
    const fit = overlap(found.box, box);
    if (fit < NEAR) continue;
    const isOwn = found.label === label;
    if (fit >= SAME_PLACE) any = Math.max(any, score);
    if (isOwn && fit >= SAME_PLACE) own = Math.max(own, score);
    if (isOwn && fit >= TIGHT) tight = Math.max(tight, score);
    if (isOwn && score * fit > ownWeight) [ownWeight, ownFit] = [score * fit, fit];
    if (isOwn ? fit >= BESIDE : fit < SAME_PLACE) continue;
    const left = score * (1 - Math.min(1, explainedBy(others, found) / EXPLAINED));
    if (!isOwn) {
      if (fit >= TIGHT) otherTight = Math.max(otherTight, left);
      if (left > other.strength) other = { strength: left, found };
      continue;
    }
    const unlike = unlikeness(found.box, box);
    const strength = left * Math.exp(-unlike / 2);
    if (strength > off.strength) off = { strength, fit, unlike, found };
  }
  return {
    ...{ own, tight, any, otherTight, ownFit, other: other.strength, otherFound: other.found },
    ...{ off: off.strength, offFit: off.fit, offUnlike: off.unlike, offFound: off.found },
  };
}

const sideOf = (box: Corners, { width, height }: Size): number =>
  Math.log(Math.sqrt(areaOf(box) / (width * height)) || LEAST);

/** Numbers that tell a detection whose label is missing from one of what is no object. `looks` are others at the image. */
export function missingSigns(
  { label, score, box }: PredictedBox,
  looks: readonly (readonly PredictedBox[])[],
  truth: readonly TruthBox[],
  image: Size,
): number[] {
  const most = (value: (one: TruthBox) => number): number => Math.max(0, ...truth.map(value));
  const alike = truth.filter((one) => one.label === label);
  const shared = most((one) => (one.label === label ? Math.max(inside(box, one.box), inside(one.box, box)) : 0));
  const side = sideOf(box, image);
  const strength = logOdds(score);
  return [
    ...[strength, side, shared, most((one) => overlap(one.box, box)), most((one) => inside(box, one.box))],
    ...[most((one) => inside(one.box, box)), Math.log(areaOf(box) || LEAST)],
    ...[Math.log(1 + alike.length), Math.log(1 + truth.length)],
    ...looks.flatMap((seen) => {
      const here = seen.filter((one) => overlap(one.box, box) >= SAME_PLACE);
      const [own, rivals] = [true, false].map((isOwn) => here.filter((one) => (one.label === label) === isOwn));
      return [own!, rivals!].map((list) => logOdds(Math.max(0, ...list.map((one) => one.score))));
    }),
  ];
}

/** How far other labels explain a detection: by one of its class at its place, or by an ignored region around it. */
const explainedBy = (others: readonly TruthBox[], { label, box }: PredictedBox): number =>
  Math.max(
    0,
    ...others.map((one) => {
      const around = one.ignore ? inside(box, one.box) : 0;
      return one.label === label ? Math.max(overlap(one.box, box), around) : around;
    }),
  );

export const overlap = (a: Corners, b: Corners): number => iou(xyxy(a), 0, xyxy(b), 0);

const areaOf = ([x1, y1, x2, y2]: Corners): number => Math.max(0, x2 - x1) * Math.max(0, y2 - y1);

/** How different the sizes of two boxes are: 0 for the same. */
const unlikeness = (a: Corners, b: Corners): number =>
  Math.abs(Math.log((a[2] - a[0]) / (b[2] - b[0]))) + Math.abs(Math.log((a[3] - a[1]) / (b[3] - b[1]))) || 0;

/** Share of a box that is inside another one. */
export function inside(box: Corners, other: Corners): number {
  const width = Math.min(box[2], other[2]) - Math.max(box[0], other[0]);
  const height = Math.min(box[3], other[3]) - Math.max(box[1], other[1]);
  return width <= 0 || height <= 0 ? 0 : (width * height) / areaOf(box);
}
