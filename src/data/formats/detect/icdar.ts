import type { PartName } from '../../sample.js';
import { DOTA_HEAD, DOTA_LINE } from '../dota.js';
import { MOT_FILE } from '../mot.js';
import { VISDRONE_LINE } from '../visDrone.js';
import { cutFields, type Fields, type Line } from '../text/icdarLine.js';
import { chooseLayout } from '../text/chooseLayout.js';
import { beginsNative } from '../text/totalText.js';
import { counted, filesLike, spread, type Detect } from './detected.js';
import type { Listing } from './listing.js';
import { folderOf, partOf, splitByPart } from './parts.js';

/** Scene text in the layouts of ICDAR, RCTW, Total-Text and CTW1500: detected where the lines of the text files can be
 *  read as one layout alone. Where they can be read in several ways, whoever opens the data asks. */
export const detectIcdar: Detect = async (listing) => {
  const truths = await truthsOf(listing);
  const split = splitByPart([...truths.keys()]);
  const parts: Partial<Record<PartName, unknown>> = {};
  const unclear: Partial<Record<PartName, unknown>> = {};
  const unread: string[] = [];
  const found: string[] = [];
  for (const [part, candidates] of Object.entries(split) as [PartName, string[]][]) {
    for (const truth of candidates) {
      const layout = truths.get(truth)!;
      const images = imagesFor(truth, part, listing);
      if (images === undefined) continue;
      if (layout === IN_DOUBT) unclear[part] ??= { images, truth };
      else if (parts[part]) unread.push(truth);
      else {
        parts[part] = { images, truth };
        found.push(layout);
      }
    }
  }
  const [layout] = found;
  const known = { ...unclear, ...parts };
  if (Object.keys(known).length === 0) return undefined;
  if (layout === undefined)
    return { certainty: 0.5, why: 'its text files have coordinates, in a layout that is not certain', parts: known };
  const why = `${counted(truths.size, 'place')} ${truths.size === 1 ? 'has' : 'have'} texts of the layout ${layout}`;
  return { certainty: 0.95, why, parts: known, unread, options: { layout } };
};

/** The folders and files that may hold the ground truth, with their layouts: folders of text files, of XML files of
 *  CTW1500, and the JSON file of ICDAR 2019-ArT. */
async function truthsOf(listing: Listing): Promise<Map<string, string>> {
  const truths = new Map<string, string>();
  const texts = byFolder(listing.files.filter((file) => /\.txt$/i.test(file) && !MOT_FILE.test(file)));
  for (const [folder, files] of texts) {
    const layout = await layoutOf(files, listing);
    if (layout !== undefined) truths.set(folder, layout);
  }
  const isCtw = (text: string): boolean => /<Annotations>/.test(text) && /<segs>/.test(text);
  for (const [folder, files] of byFolder(listing.files.filter((file) => /\.xml$/i.test(file))))
    if (!truths.has(folder) && (await filesLike(listing, spread(files), isCtw)).length > 0)
      truths.set(folder, 'ctw1500');
  const json = listing.files.filter((file) => /\.json$/i.test(file));
  for (const file of await filesLike(listing, spread(json), isArt)) truths.set(file, 'icdar2019-art');
  return truths;
}

/** Whether a text begins as the JSON file of ICDAR 2019-ArT: a map of lists of words. */
const isArt = (text: string): boolean =>
  /^\s*\{\s*"[^"]+"\s*:\s*\[/.test(text) && /"transcription"\s*:/.test(text) && /"points"\s*:\s*\[\s*\[/.test(text);

function byFolder(files: readonly string[]): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const known = folders.get(folderOf(file));
    if (known) known.push(file);
    else folders.set(folderOf(file), [file]);
  }
  return folders;
}

/** The lines of a part can be read in several ways; the parts of a data set have one layout, so that another part may
 *  tell it. */
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
  if (some.length > 0 && some.every(({ fields }) => isOfObjects(fields.rest(0)))) return undefined;
  const numeric = some.filter(({ fields: { numbers } }) => numbers.length >= 4);
  if (some.length === 0 || numeric.length < 0.9 * some.length) return undefined;
  const shares = numeric.filter(({ fields: { numbers } }) => isNormalised(numbers));
  if (shares.length > 0.5 * numeric.length || numeric.every(({ fields }) => isYolo(fields))) return undefined;
  const choice = chooseLayout(some, { option: 'data.layout:', official: true, transcriptions: true });
  if (!('layout' in choice) || choice.inDoubt) return IN_DOUBT;
  return choice.layout === 'polygons' ? undefined : choice.layout;
}

/** Whether a line has the place of an object in a layout that looks much like one of text. */
const isOfObjects = (line: string): boolean => [DOTA_HEAD, DOTA_LINE, VISDRONE_LINE].some((one) => one.test(line));

/** Whether a line is one of YOLO: a class and shares of the image. Coordinates of words are pixels. */
const isNormalised = ([first, ...shares]: readonly number[]): boolean =>
  Number.isInteger(first) && shares.every((share) => Math.abs(share) <= 1.5);

/** Whether a line may be one of YOLO that is written in pixels: a class, four numbers, and no text. */
const isYolo = ({ numbers, hasText }: Fields): boolean =>
  !hasText && numbers.length === 5 && Number.isInteger(numbers[0]);

/** The folder of images for a folder of text files: the same one, or one of the same part. */
function imagesFor(truth: string, part: PartName, { images }: Listing): string | undefined {
  const folders = [...new Set(images.map(folderOf))];
  return folders.find((folder) => folder === truth) ?? folders.find((folder) => partOf(folder) === part) ?? folders[0];
}
