import type { Section } from '../tasks/section.js';
import { boxImages } from './boxImages.js';
import type { CocoPair } from './coco.js';
import { matchCoco, SIZES } from './cocoMatches.js';
import { confusionMatrix, type Confusion } from './confusion.js';
import { bestScore, curveOf, type Matches } from './matches.js';
import { analyseErrors, ERROR_KINDS, type ErrorAnalysis, type ErrorKind } from './tide.js';

/** What each kind of error is, and which options of a recipe reduce it. */
const ADVICE: Readonly<Record<ErrorKind, readonly [what: string, advice: string]>> = {
  Cls: [
    'An object was found, but with the wrong class',
    'The confusions below name the pairs. What helps: more images of these classes (finetune check counts them), a larger model.backbone, or model.classLoss: softmax, with which classes compete.',
  ],
  Loc: [
    'An object was found, but the box overlaps it by less than 0.5 (IoU)',
    'What helps: a larger data.size, data.augment.iouCrop and scale, or more train.epochs. finetune check --augment shows whether the boxes of the data set are exact.',
  ],
  Both: [
    'The class is wrong, and the box overlaps by less than 0.5 (IoU)',
    'What helps against Cls and Loc helps here, and also better model.weights to start from, or more train.epochs.',
  ],
  Dupe: ['An object was found more than once', 'What helps: a lower evaluate.nmsThreshold.'],
  Bkg: [
    'A detection where no object is annotated',
    'Check whether an object there was not annotated. Otherwise these help: more images without objects, a higher train.hardNegatives (softmax), or a lower train.focal.alpha (sigmoid).',
  ],
  Miss: [
    'An object was not found',
    'For small objects these help: a larger data.size, model.lowestLevelAnchors: 6, data.augment.expand, or a scale below 1. Otherwise: more train.epochs, a weaker data.augment.strength, or less train.freeze.',
  ],
};

/** Number of classes beyond which a matrix cannot be read; the most frequent confusions are listed instead. */
const MOST_NAMES = 20;
const MOST_PAIRS = 30;

/** Sections that explain why the score is not higher: TIDE's errors with advice, the confusions, and curves by class
 *  and size. `matches` are those of all sizes. */
export function errorSections(
  { truth, detections }: CocoPair,
  matches: Matches,
  { classes = true }: { readonly classes?: boolean } = {},
): Section[] {
  const boxes = boxImages(truth, detections);
  const score = bestScore(matches.classes);
  const sizes = [...SIZES].map(
    ([size, areas]) =>
      [size, matchCoco(truth, detections, 'bbox', { areas }).classes.map((entry) => curveOf(entry))] as const,
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
    heads: ['kind', 'errors', 'dAP', 'what it is, and what helps'],
    rows: ERROR_KINDS.map((kind) => {
      const { count, dAP } = errors[kind];
      const [what, advice] = ADVICE[kind];
      const words = count === 0 ? `${what}.` : `${what}. ${advice}`;
      return [dAP > 0 && dAP === largest ? `${kind} ◂` : kind, String(count), points(dAP), words];
    }),
    wordy: true,
    note:
      `Errors by kind, as TIDE defines them (Bolya et al. 2020). dAP is what AP at IoU 0.5 (${AP < 0 ? '–' : points(AP)}) would gain if only the errors of this kind were corrected; a class with detections but without objects counts as 0. ` +
      `All false detections together cost ${points(falsePositives)}, all missed objects ${points(falseNegatives)}. Begin with the kind that has the largest dAP.`,
  };
}

function confusions({ names, counts }: Confusion, score: number): Section[] {
  if (!Number.isFinite(score)) return []; // no detection at all
  const text = `Numbers of objects by their class and by the class of the detection that found them (IoU 0.5). Only detections that score at least ${score.toPrecision(3)} count, the threshold with the best F1 over all classes. An object is matched with a detection of its own class first.`;
  if (names.length <= MOST_NAMES) {
    const [columns, rowNames] = [
      [...names, 'not found'],
      [...names, 'no object'],
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
