import type { CocoScore } from '../evaluate/cocoScore.js';
import type { IcdarResult } from '../evaluate/hmean.js';
import { countByImage, curveOf, type Curve, type Matches } from '../evaluate/matches.js';
import type { VocScore } from '../evaluate/voc.js';
import type { Section } from '../tasks/section.js';
import type { ScorePage, ScoreTable } from './scoreReport.js';

/** Maximum number of rows in the table of images. */
const MOST_IMAGES = 200;

const fraction = (value: number): string => (value >= 0 ? value.toFixed(3) : '–');

export function cocoPage(
  score: CocoScore,
  matches: Matches,
  files: ScorePage['files'],
  sections: readonly Section[],
): ScorePage {
  const { iouType, perCategory, metric, ...numbers } = score;
  return {
    title: `${metric.toUpperCase()} ${iouType}: AP ${fraction(score.AP)}`,
    protocol: 'AP and AR @[.50:.05:.95], computed as in pycocotools; the curves are at IoU .50.',
    facts: Object.entries(numbers).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    curves: new Map(matches.classes.map((entry) => [entry.name, curveOf(entry)])),
    tables: [
      {
        title: 'Categories',
        heads: ['category', 'AP50', 'AP'],
        rows: perCategory.map(({ name, AP, AP50 }) => ({ cells: [name, fraction(AP50), fraction(AP)], bar: AP })),
      },
      imageTable(matches),
    ],
    sections,
    files,
  };
}

export function vocPage(
  { year, mAP, AP }: VocScore,
  curves: ReadonlyMap<string, Curve>,
  matches: Matches,
  files: ScorePage['files'],
): ScorePage {
  const rule = year === 2007 ? '11 recalls' : 'the area under the curve';
  return {
    title: `VOC ${year}: mAP ${fraction(mAP)}`,
    protocol: `IoU > 0.5, ${rule}; difficult objects do not count.`,
    facts: [['mAP', mAP]],
    curves,
    tables: [
      {
        title: 'Classes',
        heads: ['class', 'AP'],
        rows: Object.entries(AP).map(([name, value]) => ({ cells: [name, fraction(value)], bar: value })),
      },
      imageTable(matches),
    ],
    files,
  };
}

/** The table of images, worst first. */
function imageTable(matches: Matches): ScoreTable {
  const { score, images } = countByImage(matches);
  const worst = [...images].sort((a, b) => a.f1 - b.f1 || b.objects - a.objects);
  const count = `${Math.min(worst.length, MOST_IMAGES)} of ${worst.length} images.`;
  return {
    title: 'Images, worst first',
    heads: ['image', 'objects', 'found', 'false', 'F1'],
    rows: worst.slice(0, MOST_IMAGES).map(({ name, objects, hits, falseAlarms, f1 }) => ({
      cells: [name, String(objects), String(hits), String(falseAlarms), fraction(f1)],
      bar: f1,
    })),
    note: `${count} Only detections that score at least ${Number.isFinite(score) ? score.toPrecision(3) : '∞'} count, the threshold with the best F1 over all images; IoU 0.5.`,
  };
}

export function icdarPage({ score, images, curve }: IcdarResult, files: ScorePage['files']): ScorePage {
  const { protocol, precision, recall, hmean, AP } = score;
  const worst = [...images].sort((a, b) => a.hmean - b.hmean || b.words - a.words);
  return {
    title: `ICDAR: Hmean ${fraction(hmean)}`,
    protocol:
      protocol === 'iou'
        ? 'IoU > 0.5, one to one in file order (ICDAR 2015, challenge 4); “###” words do not count.'
        : 'DetEval as in the script of ICDAR 2013, challenge 2: area recall 0.8, area precision 0.4, split words count 0.8.',
    facts: [
      ['precision', precision],
      ['recall', recall],
      ['hmean', hmean],
      ...(AP === undefined ? [] : [['AP', AP] as const]),
    ],
    curves: new Map(curve ? [['text', curve]] : []),
    tables: [
      {
        title: 'Images, worst first',
        heads: ['image', 'words', 'detections', 'precision', 'recall', 'Hmean'],
        rows: worst.slice(0, MOST_IMAGES).map((image) => ({
          cells: [
            image.id,
            String(image.words),
            String(image.detections),
            ...[image.precision, image.recall, image.hmean].map(fraction),
          ],
          bar: image.hmean,
        })),
        note: `${Math.min(worst.length, MOST_IMAGES)} of ${worst.length} images. Don’t-care words and detections on them are not counted.`,
      },
    ],
    files,
  };
}
