import { countObjects, occurring, tidy, type WrittenObject, type Writer } from './writer.js';

/** ICDAR 2015: <part>_gt/gt_<image>.txt with the corners and the transcription of each word, and the images in <part>/. The
 *  name of a category stands where a word has its transcription. */
export const writeIcdar: Writer = (set) => ({
  files: new Map(
    set.images.map(({ part, stem, objects }) => [
      `${part}_gt/gt_${stem}.txt`,
      objects.map((one) => `${lineOf(one)}\n`).join(''),
    ]),
  ),
  imagePath: ({ part, name }) => `${part}/${name}`,
  losses: occurring({
    'category, written as the transcription of a word': countObjects(set, ({ word }) => word === undefined),
    'crowd, written as a word that does not count': countObjects(set, ({ mark }) => mark === 'crowd'),
    'transcription of a word that does not count, written as ###': countObjects(
      set,
      ({ mark, word }) => mark !== undefined && word !== undefined && word.text !== '' && word.text !== '###',
    ),
    'outline of more than four points, written as its box': countObjects(
      set,
      ({ word }) => word !== undefined && word.outline.length !== 8,
    ),
  }),
});

function lineOf({ category, bbox: [x, y, w, h], mark, word }: WrittenObject): string {
  const corners = [x, y, x + w, y, x + w, y + h, x, y + h];
  const outline = word?.outline.length === 8 ? word.outline : corners;
  const text = mark === undefined ? (word ? word.text : category) : '###';
  return [...outline.map(tidy), text.replaceAll(/[\r\n]+/g, ' ')].join(',');
}
