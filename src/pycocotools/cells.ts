import type { Columns } from './columns.js';
import { countingSort, mergeSortDescending } from './sort.js';

/** The cells of an evaluation: a cell has the annotations and detections of one image and one category. Cells are
 *  ordered by category, then image. Only cells that are not empty exist: upstream's evalImgs has a None for each of the
 *  others. */
export interface Cells {
  readonly length: number;
  readonly category: Int32Array; // [C] index in catIds, 0 without categories
  readonly image: Int32Array; // [C] index in imgIds
  readonly gtStart: Int32Array; // [C + 1] into gtRows
  readonly dtStart: Int32Array; // [C + 1] into dtRows
  readonly gtRows: Int32Array; // rows of the ground-truth columns, in the file's order
  readonly dtRows: Int32Array; // rows of the detection columns, best score first, at most maxDet per cell
}

export interface Axes {
  readonly imgIds: readonly number[];
  readonly catIds: readonly number[];
  readonly useCats: boolean;
}

/** Sort both sets into cells. cocoeval.py, _prepare and the beginning of evaluateImg. Objects of other images or
 *  categories than the evaluation's are left out. */
export function makeCells(gt: Columns, dt: Columns, axes: Axes, maxDet: number): Cells {
  const gts = sortIntoGroups(gt, axes);
  const dts = sortIntoGroups(dt, axes);
  const capacity = gts.rows.length + dts.rows.length;
  const category = new Int32Array(capacity);
  const image = new Int32Array(capacity);
  const gtStart = new Int32Array(capacity + 1);
  const dtStart = new Int32Array(capacity + 1);
  const dtRows = new Int32Array(dts.rows.length);
  let length = 0;
  let kept = 0;
  let g = 0;
  let d = 0;
  while (g < gts.rows.length || d < dts.rows.length) {
    const gtGroup = g < gts.rows.length ? gts.group[g]! : Infinity;
    const dtGroup = d < dts.rows.length ? dts.group[d]! : Infinity;
    const group = Math.min(gtGroup, dtGroup);
    image[length] = group % axes.imgIds.length;
    category[length] = Math.floor(group / axes.imgIds.length);
    gtStart[length] = g;
    dtStart[length] = kept;
    length++;
    while (g < gts.rows.length && gts.group[g] === group) g++;
    const first = d;
    while (d < dts.rows.length && dts.group[d] === group) d++;
    mergeSortDescending(dts.rows, first, d, dt.score);
    const last = Math.min(d, first + maxDet);
    for (let i = first; i < last; i++) dtRows[kept++] = dts.rows[i]!;
  }
  gtStart[length] = g;
  dtStart[length] = kept;
  return {
    length,
    category: category.slice(0, length),
    image: image.slice(0, length),
    gtStart: gtStart.slice(0, length + 1),
    dtStart: dtStart.slice(0, length + 1),
    gtRows: gts.rows,
    dtRows: dtRows.slice(0, kept),
  };
}

interface Groups {
  readonly rows: Int32Array;
  readonly group: Float64Array; // category index · images + image index; needs more than 32 bits for large vocabularies
}

/** The rows in the order of category, image, file; without categories in the order of image, category, file, with one
 *  group for each image. Made by stable sorts, the last key first. */
function sortIntoGroups(columns: Columns, { imgIds, catIds, useCats }: Axes): Groups {
  const imageOf = indexOf(columns.imageId, imgIds);
  const categoryOf = indexOf(columns.categoryId, catIds);
  let rows: Int32Array = new Int32Array(columns.length);
  let count = 0;
  for (let row = 0; row < rows.length; row++) if (imageOf[row]! >= 0 && categoryOf[row]! >= 0) rows[count++] = row;
  rows = rows.subarray(0, count);
  if (!useCats) rows = countingSort(rows, categoryOf, catIds.length);
  rows = countingSort(rows, imageOf, imgIds.length);
  if (useCats) rows = countingSort(rows, categoryOf, catIds.length);
  const group = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    group[i] = useCats ? categoryOf[row]! * imgIds.length + imageOf[row]! : imageOf[row]!;
  }
  return { rows, group };
}

/** Position of every value in `ids`, −1 if it is not among them. */
function indexOf(values: Float64Array, ids: readonly number[]): Int32Array {
  const positions = new Map(ids.map((id, position) => [id, position]));
  const out = new Int32Array(values.length);
  let lastValue = NaN;
  let last = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value !== lastValue) {
      lastValue = value; // files list an image's detections one after another: most look-ups end here
      last = positions.get(value) ?? -1;
    }
    out[i] = last;
  }
  return out;
}
