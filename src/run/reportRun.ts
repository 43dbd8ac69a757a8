import { join } from 'node:path';
import { hashFile } from '../files/hashFile.js';
import type { ProgressEvent } from '../progress.js';
import { bestOf, buildReport, metricsOf } from '../report/fromRun.js';
import type { Metrics } from '../report/report.js';
import { readBench } from '../report/speed.js';
import { writeReport } from '../report/writeReport.js';
import type { Calibration } from '../tasks/calibration.js';
import type { OperatingPoint } from '../tasks/evaluator.js';
import { checkpointFile } from '../train/checkpoint/checkpoint.js';
import type { BegunRun } from './beginRun.js';
import { FINISHED, type RunDirectory } from './directory.js';
import { oldClassesSection } from './oldClasses.js';
import type { OpenedRecipe } from './openRecipe.js';
import type { ScoredRun } from './scoreRun.js';
import type { TrainedRun } from './trainRun.js';

export interface FinishedRun extends BegunRun {
  readonly trained: TrainedRun;
  readonly scored: ScoredRun;
  /** Images that could not be read while the run worked, by file, with the reason. */
  readonly broken: ReadonlyMap<string, string>;
  readonly onProgress: ((event: ProgressEvent) => void) | undefined;
}

/** Writes the results of a run: `predictions.json`, `report.html`, and at last `metrics.json`, which marks the run as
 *  finished: a process that is killed before leaves a run that `resume` scores and reports. */
export async function reportRun(
  run: RunDirectory,
  { recipe, backend, data, overlaps, remarks }: OpenedRecipe,
  { versions, trained, scored, broken, onProgress }: FinishedRun,
): Promise<Metrics> {
  const { model, part, result, operatingPoint, calibration, oldClasses } = scored;
  const engine = `${backend.name} ${backend.version}`;
  const outcome = {
    result,
    weightsSha256: await hashFile(checkpointFile(run.path, 'best')),
    part: part === data.test ? 'test' : 'val',
    best: bestOf(recipe, trained),
  } as const;
  const metrics = {
    ...metricsOf(model, trained, outcome, engine),
    ...(operatingPoint && { operatingPoint }),
    ...(calibration && { calibration }),
    ...(oldClasses && { oldClasses }),
  };
  await run.write('predictions.json', JSON.stringify(result.predictions));
  onProgress?.({ phase: 'report', done: 0, total: 1 });
  const report = await buildReport({
    recipe,
    data,
    scored: part,
    trained,
    result,
    metrics,
    versions,
    overlaps,
    remarks: [
      ...remarks,
      ...(operatingPoint ? [describeThreshold(operatingPoint)] : []),
      ...(calibration ? [describeCalibration(calibration)] : []),
    ],
    broken,
    pseudo: trained.pseudo,
    first: oldClasses ? [oldClassesSection(oldClasses, result.metric)] : [],
  });
  await writeReport({ ...report, speed: await readBench(run.path) }, join(run.path, 'report.html'));
  await run.write(FINISHED, `${JSON.stringify(metrics, null, 2)}\n`);
  onProgress?.({ phase: 'report', done: 1, total: 1 });
  return metrics;
}

const describeThreshold = ({ scoreThreshold, f1 }: OperatingPoint): string =>
  `On the validation part, F1 is highest (${f1.toFixed(3)}) for predictions that score at least ${scoreThreshold.toFixed(3)}: finetune predict shows those.`;

const describeCalibration = ({ ece, predictions, rightIs }: Calibration): string =>
  `On the validation part, scores and shares of right predictions differ by ${(100 * ece).toFixed(1)} points in the mean (expected calibration error, ${predictions} predictions; right is ${rightIs}): metrics.json has the table.`;
