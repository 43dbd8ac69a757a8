import { randomStream, type RandomStream } from '../random.js';
import type { Corners, PredictedBox, TruthBox } from '../tasks/section.js';
import { inside, labelEvidence, missingSigns, overlap, SAME_PLACE, type LabelEvidence } from './evidence.js';
import { fitAcrossFolds } from './trees.js';
import { ranked, type LookedAtBoxes, type Suspect } from './suspect.js';

/** Share of the labels that is expected to be wrong, for each kind of mistake. */
const EXPECTED = 0.017;
/** Labels where nothing is are rarer. */
const EXPECTED_INVENTED = 0.001;
/** Least score of a detection that may mean a missing label. */
const LEAST_SCORE = 0.1;
/** IoU with any label from which a detection is not about an object without a label. */
const LABELLED = 0.4;
/** How far a box is moved on purpose along each axis, in sides of the box: from beyond what careful people differ by to
 *  where the box is beside its object. */
const [LEAST_SHIFT, MOST_SHIFT] = [0.15, 0.45];
/** Mistakes of each kind that are made with a label. */
const MISTAKES = 3;
/** Examples of either group below which nothing is known about a kind of mistake. */
const FEW = 8;
/** Parts of the images, each of which is judged by what was learned from the others. */
const FOLDS = 5;

/** Labels of boxes that a detector disagrees with, by the probability that they are wrong. What tells a wrong label is
 *  learned from the data themselves, most of whose labels are right: each label is judged as it is, and with a mistake
 *  made on purpose (another class, a box that is moved, no label), against what the model sees there; boosted trees for
 *  each kind of mistake separate the two, and judge labels of images that they have not learned from. So a model that misses many objects, or takes one class for
 *  another, is believed as far as it deserves. `found` must have detections of low scores, too. */
export function suspectObjects(images: readonly LookedAtBoxes[]): Suspect[] {
  const wrong = wrongLabels(images);
  const loose = wrong.filter(({ kind }) => kind === 'loose');
  const missing = missingLabels(images).filter((one) => !loose.some((other) => explains(other, one)));
  return ranked([...wrong, ...missing]);
}

/** Whether a label that is beside its object is the likelier reason for a detection without a label. */
const explains = (loose: Suspect, missing: Suspect): boolean =>
  loose.file === missing.file &&
  loose.disagreement >= missing.disagreement &&
  overlap(loose.model!.box!, missing.model!.box!) >= SAME_PLACE;

interface Judged {
  readonly image: LookedAtBoxes;
  readonly fold: number;
  readonly row: number;
  readonly object: TruthBox;
  readonly evidence: LabelEvidence;
}

function wrongLabels(images: readonly LookedAtBoxes[]): Suspect[] {
  const random = randomStream(1, 'mistakes on purpose');
  const names = [
    ...new Set(images.flatMap(({ truth }) => truth.flatMap(({ label, ignore }) => (ignore ? [] : [label])))),
  ];
  const judged: Judged[] = [];
  const [right, swapped, moved, invented] = Array.from({ length: 4 }, () => emptyFolds(images)) as [
    Signs[][],
    Signs[][],
    Signs[][],
    Signs[][],
  ];
  images.forEach((image, i) => {
    const fold = i % right.length;
    const { found, tiles = [] } = image;
    image.truth.forEach((object, row) => {
      if (object.ignore) return;
      const others = image.truth.filter((_, other) => other !== row);
      const looks = [found, image.closer?.[row] ?? [], tiles];
      const judge = (one: Pick<TruthBox, 'label' | 'box'>) => labelEvidence(one, looks, others, image);
      const evidence = judge(object);
      judged.push({ image, fold, row, object, evidence });
      right[fold]!.push(evidence.signs);
      const { label, box } = object;
      for (let n = 0; n < MISTAKES; n++) {
        const wrong = names[(names.indexOf(label) + random.integer(1, names.length)) % names.length]!;
        if (names.length > 1) swapped[fold]!.push(judge({ label: wrong, box }).signs);
        moved[fold]!.push(judge({ label, box: beside(box, random) }).signs);
      }
      const nowhere = { label, box: elsewhere(box, image, random) };
      invented[fold]!.push(labelEvidence(nowhere, [found, [], tiles], image.truth, image).signs);
    });
  });
  const [ofClass, ofBox, ofNothing] = [swapped, moved, invented].map((wrong) => oddsOf(right, wrong)) as [
    Odds,
    Odds,
    Odds,
  ];
  return judged.map(({ image, fold, row, object: { label, box }, evidence }) => {
    const { signs } = evidence;
    const [misnamed, loose] = [EXPECTED * ofClass(signs, fold), EXPECTED * ofBox(signs, fold)];
    const wrong = misnamed + loose + EXPECTED_INVENTED * ofNothing(signs, fold);
    const isLoose = loose > misnamed;
    const against = isLoose ? evidence.beside : evidence.other;
    return {
      ...identify(image),
      kind: against === undefined ? 'unseen' : isLoose ? 'loose' : 'class',
      row,
      label: { category: label, box },
      ...(against && { model: modelOf(against) }),
      disagreement: wrong / (1 + wrong),
    };
  });
}

/** Detections at whose place there is no label. They are compared with those of labelled objects, as if these had no
 *  label. */
function missingLabels(images: readonly LookedAtBoxes[]): Suspect[] {
  const alone: { readonly image: LookedAtBoxes; readonly fold: number; readonly one: PredictedBox; readonly signs: Signs }[] = []; // prettier-ignore
  const found = emptyFolds(images);
  images.forEach((image, i) => {
    const fold = i % found.length;
    const { truth } = image;
    const signsOf = (one: PredictedBox, among: readonly TruthBox[]) =>
      missingSigns(one, [image.found, image.tiles ?? []], among, image);
    for (const one of distinct(image.found)) {
      if (truth.some(({ box, ignore }) => ignore && inside(one.box, box) > SAME_PLACE)) continue;
      const overlaps = truth.map(({ box }) => overlap(box, one.box));
      const best = overlaps.reduce((most, value, row) => (value > overlaps[most]! ? row : most), 0);
      const fit = overlaps[best] ?? 0;
      if (fit < LABELLED) alone.push({ image, fold, one, signs: signsOf(one, truth) });
      else if (fit >= SAME_PLACE && truth[best]!.label === one.label)
        found[fold]!.push(signsOf(one, truth.filter((_, row) => row !== best))); // prettier-ignore
    }
  });
  const count = found.flat().length;
  const isKnown = Math.min(alone.length, count) >= FEW;
  const folds = found.map((_, fold) => alone.filter((one) => one.fold === fold).map(({ signs }) => signs));
  const odds = oddsOf(folds, found);
  const prior = (EXPECTED * count) / (alone.length || 1); // so many of those alone are expected to lack a label
  return alone.map(({ image, fold, one, signs }) => {
    const missing = prior * odds(signs, fold);
    const disagreement = isKnown ? missing / (1 + missing) : one.score; // with few of them, each one matters
    return { ...identify(image), kind: 'missing', model: modelOf(one), disagreement };
  });
}

/** A box that is moved along both axes. */
function beside([x1, y1, x2, y2]: Corners, random: RandomStream): Corners {
  const shift = (side: number): number =>
    random.uniform(LEAST_SHIFT, MOST_SHIFT) * side * (random.chance(0.5) ? 1 : -1);
  const [dx, dy] = [shift(x2 - x1), shift(y2 - y1)];
  return [x1 + dx, y1 + dy, x2 + dx, y2 + dy];
}

/** A box of this size anywhere in the image. */
function elsewhere([x1, y1, x2, y2]: Corners, { width, height }: LookedAtBoxes, random: RandomStream): Corners {
  const [w, h] = [x2 - x1, y2 - y1];
  const [x, y] = [random.next() * Math.max(0, width - w), random.next() * Math.max(0, height - h)];
  return [x, y, x + w, y + h];
}

type Signs = LabelEvidence['signs'];
type Odds = (signs: Signs, fold: number) => number;

/** An empty list for each part of the images. */
const emptyFolds = ({ length }: readonly unknown[]): Signs[][] =>
  Array.from({ length: Math.max(1, Math.min(FOLDS, length)) }, () => []);

/** The odds of a mistake by its signs; 0 if there are too few examples to learn from. */
function oddsOf(right: readonly (readonly Signs[])[], wrong: readonly (readonly Signs[])[]): Odds {
  if (right.flat().length < FEW || wrong.flat().length < FEW) return () => 0;
  const logOdds = fitAcrossFolds(right, wrong);
  return (signs, fold) => Math.exp(logOdds(signs, fold));
}

/** The detections that are no second name or second box of a better one, best first. */
function distinct(found: readonly PredictedBox[]): PredictedBox[] {
  const kept: PredictedBox[] = [];
  for (const one of found)
    if (one.score >= LEAST_SCORE && kept.every(({ box }) => overlap(box, one.box) <= SAME_PLACE)) kept.push(one);
  return kept;
}

const modelOf = ({ label, score, box }: PredictedBox) => ({ category: label, score, box });
const identify = ({ part, file, imageId }: LookedAtBoxes) => ({ part, file, imageId });
