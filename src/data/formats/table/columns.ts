import { IMAGE_EXTENSION } from '../../image/imageFiles.js';
import { toNumber } from '../textFile.js';
import type { Row } from './parseCsv.js';

/** How the numbers of a row make a box. */
type Corners = 'corners' | 'size' | 'centre' | 'list';

/** Which column of a table holds what. */
export interface BoxColumns {
  /** What people call this table, for messages. */
  readonly convention: string;
  readonly hasHead: boolean;
  readonly file: number;
  readonly label: number | undefined;
  /** The columns of x1, y1, x2, y2, or x, y, width, height; of a list, one column. */
  readonly box: readonly number[];
  readonly form: Corners;
  /** The numbers are shares of the image's width and height; undefined if only they themselves can tell. */
  readonly isFraction: boolean | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** The column that says which part a row belongs to. */
  readonly set: number | undefined;
  /** Marks of Open Images. */
  readonly confidence: number | undefined;
  readonly group: number | undefined;
  readonly difficult: number | undefined;
}

/** Names of the column of the files, the usual one first. */
export const FILES = [
  'filename',
  'file_name',
  'file',
  'image',
  'image_path',
  'imagepath',
  'path',
  'filepath',
  'file_path',
  'img',
  'img_path',
  'image_name',
  'imagename',
  'image_id',
  'imageid',
  'image_filename',
  'frame',
  'filenames',
  'filepaths',
  'image_names',
  'images',
  'id',
];
const LABELS = [
  'class',
  'label',
  'class_name',
  'classname',
  'category',
  'category_name',
  'label_name',
  'labelname',
  'name',
  'object',
  'target',
  'class_id',
  'classid',
  'annotation_tag',
];
const CORNERS = [
  ['xmin', 'ymin', 'xmax', 'ymax'],
  ['x_min', 'y_min', 'x_max', 'y_max'],
  ['x1', 'y1', 'x2', 'y2'],
  ['x0', 'y0', 'x1', 'y1'],
  ['left', 'top', 'right', 'bottom'],
  ['x_from', 'y_from', 'x_to', 'y_to'],
  ['bbox_x1', 'bbox_y1', 'bbox_x2', 'bbox_y2'],
  ['bbox_xmin', 'bbox_ymin', 'bbox_xmax', 'bbox_ymax'],
  ['roi.x1', 'roi.y1', 'roi.x2', 'roi.y2'], // GTSRB
  ['upper_left_corner_x', 'upper_left_corner_y', 'lower_right_corner_x', 'lower_right_corner_y'], // LISA
] as const;
const SIZES = [
  ['bbox_x', 'bbox_y', 'bbox_width', 'bbox_height'],
  ['bbox_x', 'bbox_y', 'bbox_w', 'bbox_h'],
  ['box_x', 'box_y', 'box_width', 'box_height'],
  ['left', 'top', 'width', 'height'],
  ['x', 'y', 'w', 'h'],
  ['x', 'y', 'width', 'height'],
] as const;
const CENTRES = [
  ['x_center', 'y_center', 'width', 'height'],
  ['xcenter', 'ycenter', 'width', 'height'],
  ['x_center', 'y_center', 'w', 'h'],
  ['cx', 'cy', 'w', 'h'],
] as const;
const LISTS = ['bbox', 'box', 'bounding_box', 'boundingbox'];
const WIDTHS = ['image_width', 'img_width', 'imagewidth', 'width'];
const HEIGHTS = ['image_height', 'img_height', 'imageheight', 'height'];
/** Names of the column that says to which part a row belongs. */
export const SETS = ['set', 'split', 'subset', 'usage', 'ml_use', 'partition', 'data_set', 'fold'];

/** The columns of a table of boxes by its first rows; undefined if it is no such table. */
export function boxColumns(rows: readonly Row[]): BoxColumns | undefined {
  const [first] = rows;
  if (!first) return undefined;
  return byHead(first.cells) ?? withoutHead(rows);
}

const NONE = {
  width: undefined,
  height: undefined,
  set: undefined,
  confidence: undefined,
  group: undefined,
  difficult: undefined,
} as const;

/** The name of a column, however it is written. */
export const nameOf = (cell: string): string =>
  cell
    .trim()
    .replace(/^[#\uFEFF]+/, '')
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');

function byHead(cells: readonly string[]): BoxColumns | undefined {
  const heads = cells.map(nameOf);
  const at = (...names: readonly string[]): number | undefined => {
    const found = names.map((name) => heads.indexOf(name)).find((index) => index >= 0);
    return found;
  };
  const all = (names: readonly string[]): number[] | undefined => {
    const places = names.map((name) => heads.indexOf(name));
    return places.includes(-1) ? undefined : places;
  };
  const forms: [Corners, readonly (readonly string[])[]][] = [
    ['corners', CORNERS],
    ['centre', CENTRES],
    ['size', SIZES],
    ['list', LISTS.map((name) => [name])],
  ];
  for (const [form, candidates] of forms) {
    const names = candidates.find((one) => all(one));
    if (!names) continue;
    const box = all(names)!;
    const file = at(...FILES.filter((name) => !names.includes(name)));
    if (file === undefined) return undefined;
    const free = (...options: readonly string[]): number | undefined =>
      at(...options.filter((one) => !names.includes(one)));
    const isOpenImages = heads.includes('imageid') && heads.includes('xmin');
    return {
      convention: isOpenImages
        ? 'Open Images'
        : `columns ${[cells[file]!, ...box.map((index) => cells[index]!)].map((cell) => cell.trim()).join(', ')}`,
      hasHead: true,
      file,
      label: free(...LABELS),
      box,
      form,
      isFraction: isOpenImages ? true : undefined,
      width: free(...WIDTHS),
      height: free(...HEIGHTS),
      set: at(...SETS),
      confidence: isOpenImages ? at('confidence') : undefined,
      group: at('isgroupof', 'iscrowd'),
      difficult: at('difficult', 'isdifficult', 'ignore'),
    };
  }
  return undefined;
}

const SET_NAME = /^(?:train|training|validation|valid|val|test|unassigned)$/i;

/** Tables without a head: those of Google AutoML and keras-retinanet, or a file, four numbers and a class in any order. */
function withoutHead(rows: readonly Row[]): BoxColumns | undefined {
  const some = rows.slice(0, 50).map(({ cells }) => cells.map((cell) => cell.trim()));
  const [first] = some;
  if (!first) return undefined;
  const offset = some.every(([cell]) => SET_NAME.test(cell ?? '')) ? 1 : 0;
  const isAutoMl = some.every(
    (cells) =>
      cells.length === offset + 10 &&
      IMAGE_EXTENSION.test(cells[offset]!) &&
      cells.slice(offset + 2).every(isNumberOrEmpty),
  );
  if (isAutoMl) {
    const [x1, y1] = [offset + 2, offset + 3];
    const base = {
      hasHead: false,
      file: offset,
      label: offset + 1,
      box: [x1, y1, x1 + 4, y1 + 4],
      form: 'corners',
      isFraction: true,
      ...NONE,
    } as const;
    return { convention: 'Google AutoML', ...base, set: offset === 1 ? 0 : undefined };
  }
  const columns = first.length;
  if (some.some(({ length }) => length !== columns) || columns < 6) return undefined;
  const file = first.findIndex((_, column) => some.every((cells) => IMAGE_EXTENSION.test(cells[column]!)));
  const isNumeric = (column: number): boolean =>
    some.every((cells) => isNumberOrEmpty(cells[column]!)) &&
    some.some((cells) => numberIn(cells[column]!) !== undefined);
  const start = first.findIndex((_, column) =>
    [0, 1, 2, 3].every((step) => column + step < columns && isNumeric(column + step)),
  );
  if (file < 0 || start < 0) return undefined;
  const isMakeSense = columns === 8 && start === 1 && file === 5 && isNumeric(6) && isNumeric(7);
  if (isMakeSense) {
    const base = {
      hasHead: false,
      file,
      label: 0,
      box: [1, 2, 3, 4],
      form: 'size',
      isFraction: false,
      ...NONE,
    } as const;
    return { convention: 'makesense.ai', ...base, width: 6, height: 7 };
  }
  const box = [start, start + 1, start + 2, start + 3];
  const label = first.findIndex((_, column) => column !== file && !box.includes(column));
  if (label < 0) return undefined;
  const form = formOf(some, box);
  const usual = file === 0 && start === 1 && columns === 6 ? 'keras-retinanet' : 'a table without a head';
  const convention = {
    corners: usual,
    size: `${usual}, its numbers are x, y, width and height`,
    centre: `${usual}, its numbers are the middle, width and height`,
  }[form];
  return { convention, hasHead: false, file, label, box, form, isFraction: undefined, ...NONE };
}

/** A box as two corners, unless most have no area so, and all have one as a width and a height. Then its place is the
 *  left top, or for shares of the image the middle, where a box would otherwise reach beyond its image. */
function formOf(rows: readonly (readonly string[])[], box: readonly number[]): 'corners' | 'size' | 'centre' {
  const boxes = rows
    .map((cells) => box.map((column) => numberIn(cells[column]!)))
    .filter((one) => !one.includes(undefined)) as number[][];
  const flat = boxes.filter(([x1, y1, x2, y2]) => x2! <= x1! || y2! <= y1!);
  const areSizes = flat.length > boxes.length / 2 && boxes.every(([, , w, h]) => w! > 0 && h! > 0);
  if (!areSizes) return 'corners';
  const areShares = boxes.flat().every((value) => value <= 1);
  const reachesBeyond = boxes.some(([x, y, w, h]) => x! + w! > 1.001 || y! + h! > 1.001);
  return areShares && reachesBeyond ? 'centre' : 'size';
}

/** A number, which may have a decimal comma. */
const numberIn = (cell: string): number | undefined => toNumber(cell.replace(/^([+-]?\d+),(\d+)$/, '$1.$2'));
const isNumberOrEmpty = (cell: string): boolean => cell === '' || numberIn(cell) !== undefined;
