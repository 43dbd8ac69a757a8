import type { PartName } from '../../sample.js';
import { cutFields, type Line } from '../text/icdarLine.js';
import { chooseLayout } from '../text/chooseLayout.js';
import { beginsNative } from '../text/totalText.js';
import { counted, spread, type Detect } from './detected.js';
import type { Listing } from './listing.js';
import { folderOf, partOf, splitByPart } from './parts.js';

/** Scene text in the layouts of ICDAR, RCTW, Total-Text and CTW1500: detected only where the lines of the text files
 *  can be read as one layout alone. */
export const detectIcdar: Detect = async (listing) => {
  const files = listing.files.filter((file) => /\.txt$/i.test(file));
  const folders = splitByPart([...new Set(files.map(folderOf))]);
  const parts: Partial<Record<PartName, unknown>> = {};
  const found: string[] = [];
  const unread: string[] = [];
  const unclear: Partial<Record<PartName, unknown>> = {};
  for (const [part, candidates] of Object.entries(folders) as [PartName, string[]][]) {
    for (const truth of candidates) {
      const layout = await layoutOf(
        files.filter((file) => folderOf(file) === truth),
        listing,
      );
      const images = layout && imagesFor(truth, part, listing);
      if (!images) continue;
      if (layout === IN_DOUBT) {
        unclear[part] ??= { images, truth };
        continue;
      }
      if (parts[part]) {
        unread.push(truth);
        continue;
      }
      parts[part] = { images, truth };
      found.push(layout);
    }
  }
  const [layout] = found;
  if (layout === undefined) return undefined;
  return {
    certainty: 0.95,
    why: `${counted(files.length, 'text file')} ${files.length === 1 ? 'has' : 'have'} lines of the layout ${layout}`,
    parts: { ...unclear, ...parts },
    unread,
    options: { layout },
  };
};

/** What the lines of a part can be read as in several ways; the parts of a data set have one layout, so that another
 *  part may tell it. */
const IN_DOUBT = 'in doubt';

/** Most lines of the sample. */
const MOST_LINES = 500;

async function layoutOf(files: readonly string[], listing: Listing): Promise<string | undefined> {
  const lines: Line[] = [];
  for (const file of spread(files)) {
    const text = (await listing.sample(file)).replace(/^\uFEFF/, '');
    text.split(/\r\n|[\n\r]/).forEach((line, index) => {
      if (line.trim() !== '') lines.push({ file, line: index + 1, fields: cutFields(line) });
    });
  }
  const some = lines.slice(0, MOST_LINES);
  if (some.filter(({ fields }) => beginsNative(fields.rest(0))).length > 0.3 * some.length) return 'total-text-native';
  const numeric = some.filter(({ fields: { numbers } }) => numbers.length >= 4);
  if (some.length === 0 || numeric.length < 0.9 * some.length) return undefined;
  const shares = numeric.filter(({ fields: { numbers } }) => isNormalised(numbers));
  if (shares.length > 0.5 * numeric.length) return undefined;
  const choice = chooseLayout(some, { option: 'data.layout:', official: true, transcriptions: true });
  if (!('layout' in choice) || choice.inDoubt) return IN_DOUBT;
  return choice.layout === 'polygons' ? undefined : choice.layout;
}

/** Whether a line is one of YOLO: a class and shares of the image. Coordinates of words are pixels. */
const isNormalised = ([first, ...shares]: readonly number[]): boolean =>
  Number.isInteger(first) && shares.every((share) => Math.abs(share) <= 1.5);

/** The folder of images for a folder of text files: the same one, or one of the same part. */
function imagesFor(truth: string, part: PartName, { images }: Listing): string | undefined {
  const folders = [...new Set(images.map(folderOf))];
  return folders.find((folder) => folder === truth) ?? folders.find((folder) => partOf(folder) === part) ?? folders[0];
}
