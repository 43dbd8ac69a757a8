import { countObjects, imagesOf, isMarked, occurring, tidy, unused, type WrittenImage, type Writer } from './writer.js';

/** A table with a box in each row, in the columns of TensorFlow and Roboflow: <part>/_annotations.csv beside the images.
 *  An image without objects has a row without a box; marks have columns of their own, if there are any. */
export const writeBoxTable: Writer = (set) => {
  const hasMarks = countObjects(set, isMarked) > 0;
  const heads = [
    'filename',
    'width',
    'height',
    'class',
    'xmin',
    'ymin',
    'xmax',
    'ymax',
    ...(hasMarks ? ['iscrowd', 'ignore'] : []),
  ];
  const rowsOf = ({ name, width, height, objects }: WrittenImage): (string | number)[][] => {
    if (objects.length === 0) return [[name, width, height, '', '', '', '', '', ...(hasMarks ? [0, 0] : [])]];
    return objects.map(({ category, bbox: [x, y, w, h], mark }) => {
      const marks = hasMarks ? [mark === 'crowd' ? 1 : 0, mark === 'ignore' ? 1 : 0] : [];
      return [name, width, height, category, x, y, tidy(x + w), tidy(y + h), ...marks];
    });
  };
  const tableOf = (images: readonly WrittenImage[]): string => csvOf([heads, ...images.flatMap(rowsOf)]);
  return {
    files: new Map(set.parts.map((part) => [`${part}/_annotations.csv`, tableOf(imagesOf(set, part))])),
    imagePath: ({ part, name }) => `${part}/${name}`,
    losses: occurring({
      'category without an object': unused(set),
      'outline and transcription of a word, written as its box': countObjects(set, ({ word }) => word !== undefined),
    }),
  };
};

/** A table with a file and a label in each row: <part>.csv, and the images in <part>/. */
export const writeLabelTable: Writer = (set) => ({
  files: new Map(
    set.parts.map((part) => {
      const rows = imagesOf(set, part).map(({ name, label = '' }) => [`${part}/${name}`, label]);
      return [`${part}.csv`, csvOf([['file', 'label'], ...rows])];
    }),
  ),
  imagePath: ({ part, name }) => `${part}/${name}`,
  losses: [],
});

const csvOf = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => `${row.map(cellOf).join(',')}\n`).join('');

const cellOf = (value: string | number): string => {
  const text = String(value);
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
