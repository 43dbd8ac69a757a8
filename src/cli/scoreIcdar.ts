import { bootstrapIcdar } from '../evaluate/bootstrap.js';
import { compareIcdar } from '../evaluate/compare.js';
import { scoreDetEval } from '../evaluate/detEval.js';
import { explainZero } from '../evaluate/explain.js';
import { scoreIou } from '../evaluate/hmean.js';
import { layoutNames } from '../data/formats/text/layouts.js';
import { resultLayouts } from '../evaluate/icdarDetections.js';
import { readIcdar } from '../evaluate/icdarFiles.js';
import type { ScoreCommand, Scored } from './scored.js';
import { icdarTable } from './scoreTable.js';
import { needed, oneOf } from './usage.js';

/** `score icdar`. */
export async function run({ gt, dt, protocol, gtLayout = 'auto', dtLayout = 'auto' }: ScoreCommand): Promise<Scored> {
  const files = { gt: needed('--gt', gt), dt: needed('--dt', dt) };
  const which = oneOf('--protocol', needed('--protocol', protocol), ['iou', 'deteval']);
  const options = {
    gtLayout: oneOf('--gt-layout', gtLayout, ['auto', ...layoutNames]),
    dtLayout: oneOf('--dt-layout', dtLayout, resultLayouts),
  };
  const data = await readIcdar(files.gt, files.dt, options);
  const result = which === 'iou' ? scoreIou(data) : scoreDetEval(data);
  const outlines = data.images.flatMap(({ words, detections }) => [...words, ...detections]);
  const hasQuads = which === 'deteval' && outlines.some(({ isRectangle }) => !isRectangle);
  const note = 'DetEval knows rectangles only: quads and polygons count as the rectangles around them';
  return {
    score: result.score,
    table: icdarTable(result),
    main: result.score.hmean,
    notes: [...data.notes, ...(hasQuads ? [note] : [])],
    warnings: [],
    explain: () => Promise.resolve(explainZero(compareIcdar(data))),
    intervals: (samples) => Promise.resolve(bootstrapIcdar(result, samples)),
    page: async () => (await import('../report/scorePages.js')).icdarPage(result, files),
  };
}
