import type { Section } from '../tasks/section.js';
import { boxImages } from './boxImages.js';
import type { CocoPair } from './coco.js';
import { matchCoco, SIZES } from './cocoMatches.js';
import { confusionMatrix, type Confusion } from './confusion.js';
import { bestScore, curveOf, type Matches } from './matches.js';
import { analyseErrors, ERROR_KINDS, type ErrorAnalysis, type ErrorKind } from './tide.js';

/** What an error is, and what of a recipe changes it. */
const ADVICE: Readonly<Record<ErrorKind, readonly [what: string, advice: string]>> = {
  Cls: [
    'found, but called another class',
    'The table of confusions names the pairs. More images of these classes (finetune check counts them), a larger model.backbone, or model.classLoss: softmax, where classes compete.',
  ],
  Loc: [
    'found, but the box overlaps by less than 0.5',
    'A larger data.size, data.augment.iouCrop and scale, or more train.epochs; finetune check --augment shows whether the boxes of the data set are exact.',
  ],
  Both: [
    'another class, and the box is off',
    'What helps against Cls and Loc; and better model.weights to start from, or more train.epochs.',
  ],
  Dupe: ['an object found once more', 'A lower evaluate.nmsThreshold.'],
  Bkg: [
    'nothing is there',
    'Look whether something is there that nobody annotated. Otherwise more images without objects, a higher train.hardNegatives (softmax), or a lower train.focal.alpha (sigmoid).',
  ],
  Miss: [
    'an object that nothing found',
    'Small ones: a larger data.size, model.lowestLevelAnchors: 6, data.augment.expand or scale below 1. Otherwise more train.epochs, weaker data.augment.strength, or less train.freeze.',
  ],
};

/** Classes beyond which a matrix cannot be read; then the most frequent confusions are listed. */
const MOST_NAMES = 20;
const MOST_PAIRS = 30;

/** Why the score is not higher: TIDE's errors with what changes them, who is taken for whom, and curves by class and size.
 *  `matches` are those of all sizes. */
export function errorSections(
  { truth, detections }: CocoPair,
  matches: Matches,
  { classes = true }: { readonly classes?: boolean } = {},
): Section[] {
  const boxes = boxImages(truth, detections);
  const score = bestScore(matches.classes);
  const sizes = [...SIZES].map(
    ([size, areas]) =>
      [size, matchCoco(truth, detections, 'bbox', areas).classes.map((entry) => curveOf(entry))] as const,
  );
  return [
    errorTable(analyseErrors(boxes.images)),
    ...confusions(confusionMatrix(boxes, score), score),
    {
      kind: 'curves',
      title: 'Precision and recall at IoU 0.5',
      classes: new Map(classes ? matches.classes.map((entry) => [entry.name, curveOf(entry)]) : []),
      sizes: new Map(sizes),
    },
  ];
}

function errorTable({ AP, errors, falsePositives, falseNegatives }: ErrorAnalysis): Section {
  const points = (share: number) => share.toFixed(3);
  const largest = Math.max(...ERROR_KINDS.map((kind) => errors[kind].dAP));
  return {
    kind: 'table',
    title: 'Errors',
    heads: ['kind', 'errors', 'dAP', 'what it is, and what changes it'],
    rows: ERROR_KINDS.map((kind) => {
      const { count, dAP } = errors[kind];
      const [what, advice] = ADVICE[kind];
      const words = count === 0 ? `${what}.` : `${what}. ${advice}`;
      return [dAP > 0 && dAP === largest ? `${kind} ◂` : kind, String(count), points(dAP), words];
    }),
    wordy: true,
    note:
      `Errors of each kind, as TIDE tells them apart (Bolya et al. 2020): dAP is what AP at IoU 0.5 (${AP < 0 ? '–' : points(AP)}) would gain if these alone were mended; there, a class with detections and no objects counts as 0. ` +
      `All false detections together cost ${points(falsePositives)}, all unfound objects ${points(falseNegatives)}. The largest dAP is where to begin.`,
  };
}

function confusions({ names, counts }: Confusion, score: number): Section[] {
  if (!Number.isFinite(score)) return []; // no detection at all
  const text = `Objects, found by detections that score at least ${score.toPrecision(3)}, which is best for F1 over all classes; IoU 0.5. An object goes to a detection of its own class first.`;
  if (names.length <= MOST_NAMES) {
    const [columns, rowNames] = [
      [...names, 'not found'],
      [...names, 'nothing there'],
    ];
    return [{ kind: 'matrix', text, names: columns, rowNames, counts }];
  }
  const pairs = names.flatMap((name, i) =>
    names.map((other, j) => ({ name, other, count: i === j ? 0 : counts[i]![j]! })),
  );
  const most = pairs.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const rows = most.slice(0, MOST_PAIRS).map(({ name, other, count }) => [name, String(count), `found as ${other}`]);
  return [
    {
      kind: 'table',
      title: 'Most frequent confusions',
      heads: ['class', 'objects', ''],
      rows,
      wordy: true,
      note: text,
    },
  ];
}
