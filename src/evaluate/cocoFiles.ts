import { CocoError, COCOeval, loadCoco, loadResFile, type COCO, type IouType } from 'pycocotools-js';
import { FinetuneError } from '../errors.js';
import { cocoScore, type CocoScore } from './cocoScore.js';
import { fromCocoError } from './fromCocoError.js';

export interface CocoResult {
  readonly score: CocoScore;
  readonly truth: COCO;
  readonly detections: COCO;
  /** The lines that pycocotools prints. */
  readonly lines: readonly string[];
}

/** Score a results file against an annotation file as pycocotools does. Throws E_COCO_… with every problem of a file. */
export async function scoreCocoFiles(truthFile: string, resultFile: string, iouType: IouType): Promise<CocoResult> {
  try {
    const truth = await loadCoco(truthFile);
    const { images, categories, annotations } = truth.dataset;
    const absent = Object.entries({ images, annotations, ...(iouType === 'keypoints' ? {} : { categories }) });
    for (const [name, list] of absent) if (!list) throw lacks(name, truthFile);
    const detections = await loadResFile(truth, resultFile);
    const evaluation = new COCOeval(truth, detections, iouType);
    evaluation.evaluate();
    evaluation.accumulate();
    const lines: string[] = [];
    const score = cocoScore(evaluation, iouType, (line) => lines.push(line));
    return { score, truth, detections, lines };
  } catch (error) {
    if (error instanceof CocoError) throw fromCocoError(error);
    throw error;
  }
}

const lacks = (name: string, file: string): FinetuneError =>
  new FinetuneError({
    code: 'E_COCO_LAYOUT',
    message: `there is no list "${name}"`,
    where: { file },
    fix: 'a COCO file looks like {"images": [{…}], "annotations": [{…}], "categories": [{…}]}',
  });
