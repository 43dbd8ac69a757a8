import { findColumns } from '../categories/columns.js';
import type { Annotation, Category, Dataset, PartName } from '../data/sample.js';
import { FinetuneError } from '../errors.js';
import type { OpenedModel } from '../predict/openModel.js';
import type { PredictAllOptions, Predicted } from '../predict/pipeline.js';
import type { FoundObject } from '../tasks/found.js';
import type { Corners } from '../tasks/section.js';
import { lookAtTiles, lookCloser } from './closerLooks.js';
import type { LookedAtBoxes, LookedAtWhole } from './suspect.js';

/** The labelled images of a data set. */
export interface Labelled {
  readonly parts: Readonly<Partial<Record<PartName, Dataset>>>;
  readonly categories: readonly Category[];
}

export type Looked = { readonly unreadable: number } & (
  | { readonly task: 'detection'; readonly images: readonly LookedAtBoxes[] }
  | { readonly task: 'classification'; readonly images: readonly LookedAtWhole[] }
);

interface Row<A extends Annotation = Annotation> {
  readonly part: PartName;
  readonly annotation: A;
}

/** Lets a model look at every labelled image, at parts of it, and closer at each labelled box, and calls its classes by the names of the data. Labels of classes
 *  that the model does not know are not judged, and neither are images that cannot be read.
 *  Throws E_SUSPECTS if model and data are of different tasks, or have no class in common. */
export async function lookAt(
  { parts, categories }: Labelled,
  model: OpenedModel,
  options: Pick<PredictAllOptions, 'signal' | 'onProgress'> = {},
): Promise<Looked> {
  const names = categories.map(({ name }) => name);
  const known = model.description.categories.map(({ name }) => name);
  const columns = findColumns(names, known);
  const nameOf = new Map(columns.flatMap((column, i) => (column < 0 ? [] : [[known[column]!, names[i]!]])));
  const rows = rowsOf(parts);
  const kind = rows[0]?.annotation.kind;
  if (model.task === 'detection' && kind === 'boxes') {
    needCommon(nameOf);
    const looked = await lookAtBoxes(rows, model.predictAll(filesOf(rows), options), { names, nameOf });
    const named = (category: string): string | undefined => nameOf.get(category);
    const closer = await lookCloser(looked.images, model, named, options);
    const tiles = await lookAtTiles(looked.images, model, named, options);
    return {
      ...looked,
      task: 'detection',
      images: looked.images.map((image, i) => ({ ...image, closer: closer[i]!, tiles: tiles[i]! })),
    };
  }
  if (model.task === 'classification' && kind === 'wholeImage') {
    needCommon(nameOf);
    return lookAtWhole(rows, model.predictAll(filesOf(rows), options), { names, nameOf });
  }
  throw failure(
    `the model is for ${model.task}, and the data have ${kind === 'wholeImage' ? 'a class for each image' : kind === 'text' ? 'words' : 'boxes'}`,
    'a detector judges the boxes of objects, a classifier the classes of images; words of scene text are not judged',
  );
}

interface Naming {
  readonly names: readonly string[];
  readonly nameOf: ReadonlyMap<string, string>;
}

type Predictions<Found> = AsyncIterable<Predicted<Found>>;

async function lookAtBoxes(
  rows: readonly Row[],
  predictions: Predictions<FoundObject>,
  { names, nameOf }: Naming,
): Promise<{ readonly images: readonly LookedAtBoxes[]; readonly unreadable: number }> {
  const known = new Set(nameOf.values());
  return collect(rows, predictions, ({ part, annotation }, found): LookedAtBoxes => {
    const { file, imageId, width, height, boxes, classes, ignore } = annotation;
    const truth = classes.map((index, i) => {
      const label = names[index]!;
      const box = [...boxes.subarray(4 * i, 4 * i + 4)] as unknown as Corners;
      return { box, label, ignore: ignore[i]! || !known.has(label) };
    });
    const own = found.flatMap(({ category, score, box: [x, y, w, h] }) => {
      const label = nameOf.get(category);
      return label === undefined ? [] : [{ label, score, box: [x, y, x + w, y + h] as const }];
    });
    return { part, file, imageId, width, height, truth, found: own };
  });
}

async function lookAtWhole(
  rows: readonly Row[],
  predictions: Predictions<{ readonly category: string; readonly probability: number }>,
  { names, nameOf }: Naming,
): Promise<Looked> {
  const known = new Set(nameOf.values());
  const { images, unreadable } = await collect(rows, predictions, ({ part, annotation }, found) => {
    const { file, imageId } = annotation;
    const label = annotation.kind === 'wholeImage' ? names[annotation.label]! : '';
    const own = found.map(({ category, probability }) => ({
      category: nameOf.get(category) ?? category,
      probability,
    }));
    return { part, file, imageId, label, found: own };
  });
  return { task: 'classification', images: images.filter(({ label }) => known.has(label)), unreadable };
}

/** What the model finds on each image that it can read. */
async function collect<Found, Result>(
  rows: readonly Row[],
  predictions: Predictions<Found>,
  combine: (row: Row, found: readonly Found[]) => Result,
): Promise<{ readonly images: Result[]; readonly unreadable: number }> {
  const images: Result[] = [];
  let [next, unreadable] = [0, 0];
  for await (const result of predictions) {
    const row = rows[next++]!;
    if (result.error) unreadable++;
    else images.push(combine(row, result.predictions));
  }
  return { images, unreadable };
}

/** The images of all parts; one that is in several parts is listed once. */
function rowsOf(parts: Labelled['parts']): Row[] {
  const rows = new Map<string, Row>();
  for (const [part, { annotations }] of Object.entries(parts) as [PartName, Dataset][])
    for (const annotation of annotations)
      if (!rows.has(annotation.file)) rows.set(annotation.file, { part, annotation });
  return [...rows.values()];
}

const filesOf = (rows: readonly Row[]): string[] => rows.map(({ annotation }) => annotation.file);

function needCommon(nameOf: ReadonlyMap<string, string>): void {
  if (nameOf.size > 0) return;
  throw failure(
    'the model knows none of the classes of the data',
    'name a run that was trained on these classes, or on labels like them',
  );
}

const failure = (message: string, fix: string): FinetuneError =>
  new FinetuneError({ code: 'E_SUSPECTS', message, fix });
