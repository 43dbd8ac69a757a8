import { CocoError, COCOeval, type COCO, type IouType } from '../pycocotools/index.js';
import { cocoScore, type CocoScore } from './cocoScore.js';
import { loadResults, loadTruth, type CocoTruth } from './cocoTruth.js';
import { fromCocoError } from './fromCocoError.js';

export interface CocoFiles {
  /** Maximum number of detections of an image and category that count. Default: pycocotools' 100, or 20 for keypoints. */
  readonly maxDets?: number | undefined;
}

export interface CocoResult {
  readonly score: CocoScore;
  readonly truth: COCO;
  readonly detections: COCO;
  /** What is special about the annotation file. */
  readonly source: Omit<CocoTruth, 'coco'>;
}

/** Score a results file against an annotation file as pycocotools does. Throws E_COCO_… and E_ENCODING with every problem
 *  of a file. */
export async function scoreCocoFiles(
  truthFile: string,
  resultFile: string,
  iouType: IouType,
  { maxDets }: CocoFiles = {},
): Promise<CocoResult> {
  try {
    const source = await loadTruth(truthFile, iouType);
    const { coco: truth, numbering } = source;
    const detections = await loadResults(source, resultFile);
    const evaluation = new COCOeval(truth, detections, iouType);
    if (maxDets !== undefined) evaluation.params.maxDets = maxDetsTo(maxDets);
    evaluation.evaluate();
    evaluation.accumulate();
    const { perCategory, ...score } = cocoScore(evaluation, iouType);
    const idOf = new Map([...(numbering.categories ?? [])].map(([id, number]) => [number, id as number | string]));
    const named = perCategory.map(({ id, ...rest }) => ({ id: idOf.get(id as number) ?? id, ...rest }));
    return { score: { ...score, perCategory: named }, truth, detections, source };
  } catch (error) {
    if (error instanceof CocoError) throw fromCocoError(error);
    throw error;
  }
}

/** The usual numbers of detections, as far as they are below `most`, and `most`. */
const maxDetsTo = (most: number): number[] => [...[1, 10, 100].filter((count) => count < most), most];
