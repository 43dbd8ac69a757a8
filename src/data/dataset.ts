import { stat } from 'node:fs/promises';
import { FinetuneError, formatProblem, type Problem } from '../errors.js';
import { learnedClasses } from './countObjects.js';
import { createFindings, type Findings } from './findings.js';
import { bdd } from './formats/bdd.js';
import { cloud } from './formats/cloud.js';
import { coco } from './formats/coco.js';
import { createMl } from './formats/createMl.js';
import { cvat } from './formats/cvat.js';
import { darwin } from './formats/darwin.js';
import { datumaro } from './formats/datumaro.js';
import { dota } from './formats/dota.js';
import type { Format, Parts, ReadOptions } from './formats/format.js';
import { huggingFace, huggingFaceClasses } from './formats/huggingFace/huggingFace.js';
import { imageFolder } from './formats/imageFolder.js';
import { kerasYolo } from './formats/kerasYolo.js';
import { kitti } from './formats/kitti.js';
import { csv } from './formats/labelCsv.js';
import { labelbox } from './formats/labelbox.js';
import { labelme } from './formats/labelme.js';
import { labelStudio, labelStudioClasses } from './formats/labelStudio/labelStudio.js';
import { mot } from './formats/mot.js';
import { supervisely } from './formats/supervisely.js';
import { boxTable } from './formats/table/boxTable.js';
import { syntheticText } from './formats/text/drawnText.js';
import { icdar } from './formats/text/icdarParts.js';
import { synthtext } from './formats/text/synthText.js';
import { via } from './formats/via.js';
import { visDrone } from './formats/visDrone.js';
import { visionLanguage } from './formats/visionLanguage.js';
import { voc } from './formats/voc.js';
import { vott } from './formats/vott.js';
import { webDataset, webDatasetClasses } from './formats/webDataset/webDataset.js';
import { widerFace } from './formats/widerFace.js';
import { yolo } from './formats/yolo/yolo.js';
import type { Category, Dataset, Kind, PartName } from './sample.js';
import { openedBefore } from './scan/openedCache.js';
import { holdVersions, saveScans } from './scan/scanCache.js';
import { openSplit, type DividedImages } from './split/openSplit.js';
import type { SplitContext } from './split/split.js';
import { synthetic } from './synthetic/openSynthetic.js';

/** The layouts of data sets, by the name that `data.format` gives them. */
const formats = {
  synthetic,
  coco,
  voc,
  yolo,
  createml: createMl,
  labelme,
  labelstudio: labelStudio,
  vott,
  via,
  datumaro,
  cvat,
  supervisely,
  cloud,
  kitti,
  widerface: widerFace,
  dota,
  visdrone: visDrone,
  mot,
  bdd100k: bdd,
  darwin,
  labelbox,
  'keras-yolo': kerasYolo,
  'vision-language': visionLanguage,
  'box-csv': boxTable,
  huggingface: huggingFace,
  webdataset: webDataset,
  imageFolder,
  csv,
  'labelstudio-classes': labelStudioClasses,
  'huggingface-classes': huggingFaceClasses,
  'webdataset-classes': webDatasetClasses,
  'synthetic-text': syntheticText,
  icdar,
  synthtext,
};

type Formats = typeof formats;
/** Where a data set is, and how it is read: the options of one of the formats. */
export type DataOptions = { [F in keyof Formats]: Parameters<Formats[F]['open']>[0] }[keyof Formats];

/** What the images of a data set are annotated with. */
export const kindOf = ({ format }: Pick<DataOptions, 'format'>): Kind => formats[format].kind;

export interface OpenDataOptions extends Pick<SplitContext, 'kept'> {
  /** Dotted path of the data's options in a recipe, for errors that are about one of them (default: data). */
  readonly option?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The parts of a data set, with the same categories in the same order. */
export interface Datasets {
  readonly train: Dataset;
  readonly val: Dataset;
  readonly test?: Dataset;
  readonly categories: readonly Category[];
  /** How `split` divided the images. */
  readonly divided?: DividedImages;
}

/** Open the parts to train, to validate and, where there is one, to test on, with the same categories in the same
 *  order. Reads annotations, no pixels. Throws every problem of all parts at once, E_DATA_EMPTY if a part has no image,
 *  and E_DATA_NO_OBJECT if the training part has nothing to learn. */
export async function openDatasets(
  data: DataOptions,
  { option, signal, kept }: OpenDataOptions = {},
): Promise<Datasets> {
  const findings = new Map<PartName, Findings>();
  const findingsOf = (part: PartName) => {
    const own = createFindings();
    findings.set(part, own);
    return own;
  };
  const before = kept || formats[data.format].isDrawn ? undefined : openedBefore(data);
  if (before?.found) return before.found;
  const release = holdVersions();
  try {
    const { parts, divided } = await readDatasets(data, { option, signal, kept, findingsOf });
    await saveScans();
    const { train, val, test } = parts;
    const all = [...findings.values()].flatMap((part) => part.problems());
    const problems = [...new Map(all.map((problem) => [formatProblem(problem), problem])).values()]; // parts share files
    if (problems.length > 0) throw new FinetuneError(problems);
    const opened: Datasets = {
      train: train!,
      val: val!,
      ...(test && { test }),
      categories: train!.categories,
      ...(divided && { divided }),
    };
    await before?.keep(opened);
    return opened;
  } finally {
    release();
  }
}

/** The parts as far as they can be read: every problem goes to the findings of its part, and nothing is thrown for it. */
export async function readDatasets(
  data: DataOptions,
  options: ReadOptions & Pick<SplitContext, 'kept'>,
): Promise<{ readonly parts: Parts; readonly divided?: DividedImages }> {
  const format = formats[data.format] as Format<DataOptions>;
  const findings = new Map<PartName, Findings>();
  const findingsOf = (part: PartName): Findings => {
    if (!findings.has(part)) findings.set(part, options.findingsOf(part));
    return findings.get(part)!;
  };
  const problem = format.isDrawn ? undefined : await missingRoot(data, options);
  if (problem) {
    findingsOf('train').problem(problem);
    return { parts: {} };
  }
  const { root } = data;
  const split = 'split' in data && data.split ? data.split : undefined;
  const { parts, ...divided } =
    split && root !== undefined
      ? await openSplit(format, data, split, { ...options, root, findingsOf })
      : { parts: await format.open(data, { ...options, findingsOf }) };
  if (parts.train && !options.unlearned) needObjects(parts.train, root, findingsOf('train'));
  const { placed, remarks } = divided as Partial<DividedImages>;
  return { parts, ...(placed && remarks && { divided: { placed, remarks } }) };
}

/** A training without an object to learn would end with a loss of 0, as if it had succeeded. */
function needObjects({ name, annotations }: Dataset, root: string | undefined, findings: Findings): void {
  if (annotations.length === 0 || findings.problems().length > 0) return; // that is the problem then
  if (annotations.some((annotation) => learnedClasses(annotation).length > 0)) return;
  const ignored = annotations.reduce((sum, { classes }) => sum + classes.length, 0);
  const left = Object.entries(findings.dropped).map(([reason, count]) => `${reason}: ${count}`);
  const why = [...(ignored > 0 ? [`ignored: ${ignored}`] : []), ...left].join(', ');
  findings.problem({
    code: 'E_DATA_NO_OBJECT',
    message: `none of the ${annotations.length} images of ${name} has an object to learn${why && ` (${why})`}`,
    ...(root !== undefined && { where: { file: root } }),
    fix: 'check that the annotations belong to these images; ignored objects (crowds, difficult ones, don’t-care words) are not learned',
  });
}

async function missingRoot({ root }: DataOptions, { option = 'data' }: ReadOptions): Promise<Problem | undefined> {
  const entry = root === undefined ? undefined : await stat(root).catch(() => undefined);
  if (entry?.isDirectory()) return undefined;
  return {
    code: 'E_FOLDER_ROOT',
    option: `${option}.root`,
    message: entry ? `"${root}" is not a folder` : `there is no folder "${root}"`,
    fix: `set ${option}.root; a relative one counts from the folder of the recipe, or with --set from the current directory`,
  };
}
