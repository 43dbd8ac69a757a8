import { FinetuneError } from '../../../errors.js';
import type { PartName } from '../../sample.js';
import { counted, filesLike, spread, type Detect } from '../detect/detected.js';
import type { Listing } from '../detect/listing.js';
import { folderOf, foldersInParts, isInside } from '../detect/parts.js';
import { placeReadings } from './places.js';
import { parseDarknetData, parseYoloYaml, type YoloConfig } from './config.js';

/** Files that list the names of the classes, one a line. */
export const NAMES_FILE =
  /(?:^|\/)(?:classes\.txt|classes\.names|obj\.names|labels\.txt|predefined_classes\.txt|_darknet\.labels|names\.txt|[^/]+\.names)$/i;

/** A line of a label file: the number of a class and four or more numbers. */
const LABEL_LINE = /^\s*\d+(?:\.0*)?(?:\s+[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[-+]?\d+)?){4,}\s*$/i;

/** YOLO: a text file of normalised boxes for each image, with data.yaml or without. */
export const detectYolo: Detect = async (listing) => {
  const config = await findConfig(listing);
  const labels = await labelFiles(listing);
  const several = new Set((await nearestNames(listing, labels))?.values());
  if (several.size > 0) {
    const why = `${counted(labels.length, 'text file')} beside the images have lines of a class and a box, and ${[...several].join(' and ')} name the classes of the folders that they are in`;
    return { certainty: 0.95, why, ...placesOfLabels(listing, labels) };
  }
  if (config) {
    const { parts, remarks } = partsOfConfig(config, listing, labels);
    if (labels.length === 0 && Object.keys(parts).length === 0) return undefined;
    const lines = `${counted(labels.length, 'text file')} beside the images ${labels.length === 1 ? 'has' : 'have'} lines of a class and a box`;
    const reasons = [`${config.file} names its classes`, ...(labels.length > 0 ? [lines] : []), ...remarks];
    const why = reasons.join(', and ');
    return { certainty: labels.length > 0 ? 1 : 0.6, why, parts, options: { names: config.file } };
  }
  if (labels.length === 0) return undefined;
  const names = (await findBrokenConfig(listing)) ?? listing.files.find((file) => NAMES_FILE.test(file));
  const why = `${counted(labels.length, 'text file')} of the names of images ${labels.length === 1 ? 'has' : 'have'} lines of a class and a box${names ? `, and ${names} names the classes` : ''}`;
  return {
    certainty: names ? 0.95 : 0.85,
    why,
    ...placesOfLabels(listing, labels),
    ...(names && { options: { names } }),
  };
};

/** The parts that a data.yaml names. In the place of one that it does not name, or that does not exist, comes the folder
 *  of images with labels that has the name of that part; a person is told. */
function partsOfConfig(
  { file, config }: FoundConfig,
  listing: Listing,
  labels: readonly string[],
): { readonly parts: Partial<Record<PartName, unknown>>; readonly remarks: readonly string[] } {
  const { parts: found } = placesOfLabels(listing, labels);
  const { train } = config.parts;
  const all = Object.entries(config.parts) as [PartName, readonly string[]][];
  const [named, same] = [true, false].map((isOther) =>
    all.filter(([part, places]) => (part === 'train' || places.join('\n') !== train?.join('\n')) === isOther),
  ) as [typeof all, typeof all];
  const there = named.filter(([, places]) => places.some((place) => isThere(place, listing)));
  const absent = named.filter(([part]) => part !== 'test' && !there.some(([one]) => one === part));
  const missing = absent.map(([part, places]) => `its ${part} (${places.join(', ')}) does not exist`);
  if (there.length === 0) return { parts: found, remarks: missing };
  const parts: Partial<Record<PartName, unknown>> = Object.fromEntries(there);
  const isNew = (folder: string): boolean => !there.some(([, places]) => places.some((place) => holds(place, folder)));
  const others = (Object.entries(found) as [PartName, unknown][]).filter(
    ([part, folders]) => parts[part] === undefined && [folders].flat().every((folder) => isNew(String(folder))),
  );
  for (const [part, folder] of others) parts[part] = folder;
  const taken = others.map(
    ([part, folder]) => `${[folder].flat().join(', ')} is taken for ${part}, which ${file} does not name`,
  );
  const equal = same.map(([part]) => `its ${part} is its train, which is no part of its own`);
  return { parts, remarks: [...missing, ...taken, ...equal] };
}

/** Whether a place of data.yaml is a folder, or holds it. */
const holds = (place: string, folder: string): boolean =>
  placeReadings(place)
    .map((path) => path.replace(/^(?:\.\.?\/)+|\/$/g, ''))
    .some((path) => path === '.' || folder === path || folder.startsWith(`${path}/`));

/** The folders of the images that have label files, by part. */
function placesOfLabels(listing: Listing, labels: readonly string[]): ReturnType<typeof foldersInParts> {
  const stems = new Set(labels.flatMap(namesOf));
  return foldersInParts(listing.images.filter((image) => stems.has(nameOf(image))));
}

const nameOf = (path: string): string =>
  path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.[^.]*$/, '')
    .normalize()
    .toLowerCase();

/** The names of the image that a label file may belong to: its own, and that without the prefix of Label Studio. */
const namesOf = (label: string): string[] => [...new Set([nameOf(label), nameOf(label).replace(STUDIO_PREFIX, '')])];

/** What Label Studio puts before the name of a file that was uploaded. */
export const STUDIO_PREFIX = /^[\da-f]{8}-(?=.)/i;

/** The text files that are called as an image and have lines of labels, as far as a sample of them shows. */
async function labelFiles(listing: Listing): Promise<string[]> {
  const images = new Set(listing.images.map(nameOf));
  const candidates = listing.files.filter(
    (file) => /\.txt$/i.test(file) && namesOf(file).some((name) => images.has(name)),
  );
  const sample = spread(candidates);
  const alike = await filesLike(listing, sample, isLabelText);
  const empty = await filesLike(listing, sample, (text) => text.trim() === '');
  return alike.length > 0 && alike.length + empty.length >= 0.8 * sample.length ? candidates : [];
}

/** Whether a text has lines of labels, and nothing else. */
export const isLabelText = (text: string): boolean => {
  const lines = text.split(/\r\n|[\n\r]/).filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.slice(0, 50).every((line) => LABEL_LINE.test(line));
};

export interface FoundConfig {
  readonly file: string;
  readonly config: YoloConfig;
}

/** Files that may be a data.yaml or an obj.data, the least deep ones first. */
function configFiles({ files }: Listing): string[] {
  const depth = (file: string): number =>
    file.split('/').length + (/(?:^|\/)(?:data|dataset)\.ya?ml$/i.test(file) ? -0.5 : 0);
  return files
    .filter((file) => /\.(?:ya?ml|data)$/i.test(file))
    .sort((a, b) => depth(a) - depth(b))
    .slice(0, 40);
}

/** A file that names classes but cannot be read, of a folder without a data.yaml that can. Whoever reads it gets its
 *  error; without it, the classes would be called by their numbers and nobody would know why. */
export async function findBrokenConfig(listing: Listing): Promise<string | undefined> {
  for (const file of configFiles(listing)) {
    const text = await listing.sample(file);
    const isMeant = /^names\s*:/m.test(text) || /(?:^|\/)(?:(?:data|dataset)\.ya?ml|obj\.data)$/i.test(file);
    if (isMeant && !readConfig(text, file)) return file;
  }
  return undefined;
}

/** The data.yaml or obj.data of a folder: the least deep file that has the keys of one. */
export async function findConfig(listing: Listing): Promise<FoundConfig | undefined> {
  for (const file of configFiles(listing)) {
    const text = await listing.sample(file);
    const config = readConfig(text, file);
    if (config && isConfig(config)) return { file, config };
  }
  return undefined;
}

/** The file that names the classes for each folder of labels, where several name different ones: that of the same folder,
 *  or else of the closest one above. Undefined if they agree with each other, and with the usual one if it is given. */
export async function nearestNames(
  listing: Listing,
  labels: readonly string[],
  usual?: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  const contents = new Map<string, string>();
  for (const file of configFiles(listing)) {
    const config = readConfig(await listing.sample(file), file);
    if (config && isConfig(config) && config.names) contents.set(file, [...config.names].join('\n'));
  }
  if (contents.size === 0)
    for (const file of listing.files.filter((one) => NAMES_FILE.test(one)))
      contents.set(file, (await listing.sample(file)).trim().split(/\s*[\r\n]\s*/).join('\n')); // prettier-ignore
  if (contents.size < 2) return undefined;
  const nearest = new Map<string, string>();
  for (const folder of new Set(labels.map(folderOf))) {
    const above = [...contents.keys()].filter((file) => isInside(folder, folderOf(file)));
    const [file] = above.sort((a, b) => folderOf(b).length - folderOf(a).length);
    if (file === undefined) return undefined;
    nearest.set(folder, file);
  }
  const used = [...nearest.values(), ...(usual === undefined ? [] : [usual])];
  return new Set(used.map((file) => contents.get(file))).size > 1 ? nearest : undefined;
}

const isConfig = ({ names, namesFile, count, parts }: YoloConfig): boolean =>
  (names !== undefined || namesFile !== undefined || count !== undefined) &&
  (Object.keys(parts).length > 0 || names !== undefined);

function readConfig(text: string, file: string): YoloConfig | undefined {
  try {
    return /\.data$/i.test(file) ? parseDarknetData(text, file) : parseYoloYaml(text, file);
  } catch (error) {
    if (error instanceof FinetuneError) return undefined;
    throw error;
  }
}

/** Whether a place of data.yaml leads to a file or folder of the listing, in one of the ways to read it. */
const isThere = (place: string, { files }: Listing): boolean =>
  /^\.\/?$/.test(place) ||
  placeReadings(place)
    .map((path) => path.replace(/\/$/, ''))
    .some((path) => files.some((file) => file === path || file.startsWith(`${path}/`) || file.includes(`/${path}/`)));
