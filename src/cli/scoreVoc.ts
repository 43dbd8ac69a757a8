import { bootstrapVoc } from '../evaluate/bootstrap.js';
import { compareVoc } from '../evaluate/compare.js';
import { explainZero, warnOfThreshold } from '../evaluate/explain.js';
import { scoreVoc } from '../evaluate/voc.js';
import { readVocDetections } from '../evaluate/vocDetections.js';
import { readAllNames, readVocTruth } from '../evaluate/vocTruth.js';
import type { ScoreCommand, Scored } from './scored.js';
import { vocTable } from './scoreTable.js';
import { needed, oneOf } from './usage.js';

/** `score voc`. */
export async function run({ gt, dt, split, year = '2007' }: ScoreCommand): Promise<Scored> {
  const files = {
    gt: needed('--gt', gt),
    dt: needed('--dt', dt),
    split: needed('--split', split),
  };
  const which = oneOf('--year', year, ['2007', '2012']) === '2007' ? 2007 : 2012;
  const truth = await readVocTruth(files.gt, files.split);
  const { detections, notes } = await readVocDetections(files.dt, {
    split: files.split,
    stems: truth.images.map(({ stem }) => stem),
    classes: truth.classes,
    numbered: () => readAllNames(files.gt),
  });
  const { score, curves, matches } = scoreVoc(truth, detections, which);
  const difficult = Object.keys(score.AP).filter((name) => score.AP[name] === -1);
  const left = difficult.length > 0 ? [`only difficult objects, not in the mean: ${difficult.join(', ')}`] : [];
  const lowest = detections.reduce((low, detection) => Math.min(low, detection.score), Infinity);
  const warning = warnOfThreshold(lowest, () => compareVoc(truth, detections));
  return {
    score,
    table: vocTable(score, matches),
    main: score.mAP,
    notes: [...notes, ...left],
    warnings: warning === undefined ? [] : [warning],
    explain: () => Promise.resolve(explainZero(compareVoc(truth, detections))),
    intervals: (samples) => Promise.resolve(bootstrapVoc(matches, which, samples)),
    page: async () => (await import('../report/scorePages.js')).vocPage(score, curves, matches, files),
  };
}
