import { scoreCocoFiles } from '../evaluate/cocoFiles.js';
import { cocoWarnings } from '../evaluate/cocoWarnings.js';
import { explainZero } from '../evaluate/explain.js';
import type { Matches } from '../evaluate/matches.js';
import type { ScoreCommand, Scored } from './scored.js';
import { cocoTable } from './scoreTable.js';
import { needed, oneOf, UsageError, wholeNumber } from './usage.js';

/** `score coco`; what is not needed for the numbers is loaded when it is asked for. */
export async function run({ gt, dt, iouType = 'bbox', maxDets: typed }: ScoreCommand): Promise<Scored> {
  const kind = oneOf('--iou-type', iouType, ['bbox', 'segm', 'keypoints']);
  const maxDets = typed === undefined ? undefined : wholeNumber('--max-dets', Number(typed), 1);
  if (maxDets !== undefined && kind === 'keypoints')
    throw new UsageError('--max-dets is for bbox and segm; for keypoints, 20 detections count');
  const files = { gt: needed('--gt', gt), dt: needed('--dt', dt) };
  const { score, truth, detections, source } = await scoreCocoFiles(files.gt, files.dt, kind, { maxDets });
  const counted = maxDets ?? (kind === 'keypoints' ? 20 : 100);
  const { withoutArea } = source;
  let matches: Matches | undefined; // matched once for both the interval and the report
  const matched = async () => {
    const { matchCoco } = await import('../evaluate/cocoMatches.js');
    return (matches ??= matchCoco(truth, detections, kind, { maxDets }));
  };
  return {
    score,
    table: cocoTable(score),
    main: score.AP,
    notes: withoutArea > 0 ? [`${withoutArea} annotations have no area: width × height of the box is taken`] : [],
    warnings: cocoWarnings(truth, detections, { ...source, iouType: kind, maxDets: counted }),
    explain: async () => {
      const { compareCoco } = await import('../evaluate/compare.js');
      return explainZero(compareCoco(truth, detections));
    },
    intervals: async (samples) => {
      const { bootstrapCoco } = await import('../evaluate/bootstrap.js');
      return bootstrapCoco(await matched(), samples);
    },
    page: async () => {
      const { cocoPage } = await import('../report/scorePages.js');
      const { errorSections } = await import('../evaluate/errorSections.js');
      // The curves of the classes stand at the head of the page.
      const sections = kind === 'bbox' ? errorSections({ truth, detections }, await matched(), { classes: false }) : [];
      return cocoPage(score, await matched(), files, sections);
    },
  };
}
