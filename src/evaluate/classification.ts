import { ofKind, type ClassIndex, type Dataset } from '../data/sample.js';
import { calibrationOf } from '../tasks/calibration.js';
import { topClasses, type Classification } from '../tasks/classification/probabilities.js';
import type { Evaluator } from '../tasks/evaluator.js';
import type { Section } from '../tasks/section.js';
import type { Network } from '../tasks/network.js';
import { confusionMatrix, scoreClassification, type ClassificationScore } from './classificationScore.js';

/** One image in predictions.json: its class and the five most probable ones. */
interface Prediction {
  readonly image: string | number;
  readonly label: string;
  readonly top: readonly { readonly label: string; readonly probability: number }[];
}

interface Seen {
  readonly imageId: string | number;
  readonly file: string;
  readonly label: ClassIndex;
  readonly top: readonly ClassIndex[];
  readonly probabilities: readonly number[];
  /** Probability of the true class. */
  readonly truth: number;
}

const SHOWN = 5;

/** Scores classes by top-1 and top-5; predictions.json has the five most probable of each image. */
export function classificationEvaluator(
  network: Pick<Network<Classification>, 'decode'>,
  dataset: Dataset,
): Evaluator<ClassificationScore> {
  const { categories } = dataset;
  const nameOf = (index: ClassIndex): string => categories[index]!.name;
  const seen: Seen[] = [];
  return {
    read: (outputs, samples) =>
      network.decode(outputs, samples).map(({ probabilities }, i): Seen => {
        const { imageId, file, label } = ofKind(samples[i]!, 'wholeImage');
        const top = topClasses(probabilities, SHOWN);
        const likely = top.map((index) => probabilities[index]!);
        return { imageId, file, label, top, probabilities: likely, truth: probabilities[label]! };
      }),
    add: (read) => void seen.push(...(read as readonly Seen[])),
    finish() {
      const metric = scoreClassification(categories, seen);
      const { top1, top5, meanPerClass } = metric;
      const predictions = seen.map(({ imageId, label, top, probabilities }): Prediction => ({
        image: imageId,
        label: nameOf(label),
        top: top.map((index, i) => ({ label: nameOf(index), probability: probabilities[i]! })),
      }));
      return {
        metric,
        numbers: { top1, ...(categories.length > SHOWN && { top5 }), meanPerClass },
        predictions,
        calibration: () => {
          const judged = seen.map(({ label, top, probabilities }) => ({
            score: probabilities[0]!,
            isRight: top[0] === label,
          }));
          return calibrationOf(judged, {
            total: seen.length,
            least: 0,
            rightIs: 'the most probable class is the true one',
          });
        },
        sections: ({ images }) => sections(metric, seen, nameOf, images),
      };
    },
  };
}

/** Number of classes beyond which a matrix does not fit on a page. */
const MOST_IN_MATRIX = 30;
const MOST_PAIRS = 40;

function sections(
  metric: ClassificationScore,
  seen: readonly Seen[],
  nameOf: (index: ClassIndex) => string,
  images: number,
): Section[] {
  const { top1, top5, top1Error, top5Error, meanPerClass, perCategory } = metric;
  const used = perCategory.filter((row) => row.images > 0 || row.precision >= 0);
  return [
    {
      kind: 'numbers',
      title: 'Score',
      text: 'Share of the images whose class is the most probable one (top-1), or among the five most probable (top-5).',
      rows: [
        {
          name: '',
          numbers: [
            ['top-1', top1],
            ['top-5', top5],
            ['top-1 error', top1Error],
            ['top-5 error', top5Error],
            ['mean per class', meanPerClass],
          ],
        },
      ],
      note: 'Mean per class: the mean of the classes’ recalls, so that each class counts equally, however many images it has.',
    },
    confusions(metric, seen, nameOf),
    {
      kind: 'categories',
      heads: ['precision', 'recall'],
      rows: used.map(({ name, precision, recall }) => ({ name, numbers: [precision, recall] })),
      counted: 'images',
    },
    {
      kind: 'pictures',
      title: 'Images, worst first',
      text: 'The images whose true class got the lowest probability.',
      pictures: [...seen]
        .sort((a, b) => a.truth - b.truth)
        .slice(0, images)
        .map(({ file, imageId, label, top, probabilities, truth }) => ({
          file,
          imageId,
          caption:
            top[0] === label
              ? `${nameOf(label)} ${truth.toFixed(2)}, right`
              : `${nameOf(label)} ${truth.toFixed(2)}, predicted ${nameOf(top[0]!)} ${probabilities[0]!.toFixed(2)}`,
        })),
    },
  ];
}

/** A confusion matrix if it fits on the page, else the most frequent confusions. */
function confusions(
  { perCategory }: ClassificationScore,
  seen: readonly Seen[],
  nameOf: (index: ClassIndex) => string,
): Section {
  if (perCategory.length <= MOST_IN_MATRIX) {
    const names = perCategory.map(({ name }) => name);
    return { kind: 'matrix', names, counts: confusionMatrix(names.length, seen) };
  }
  const pairs = new Map<string, { label: ClassIndex; taken: ClassIndex; count: number }>();
  for (const { label, top } of seen) {
    const taken = top[0]!;
    if (taken === label) continue;
    const pair = pairs.get(`${label}/${taken}`) ?? { label, taken, count: 0 };
    pair.count++;
    pairs.set(`${label}/${taken}`, pair);
  }
  const most = [...pairs.values()].sort((a, b) => b.count - a.count);
  return {
    kind: 'table',
    title: 'Confusions',
    heads: ['class', 'predicted', 'images'],
    rows: most.slice(0, MOST_PAIRS).map(({ label, taken, count }) => [nameOf(label), nameOf(taken), String(count)]),
    note: `The ${Math.min(most.length, MOST_PAIRS)} most frequent of ${most.length} pairs.`,
  };
}
