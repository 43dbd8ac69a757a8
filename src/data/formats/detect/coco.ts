import { readingsOf } from '../../image/readings.js';
import type { PartName } from '../../sample.js';
import { counted, filesLike, type Detect } from './detected.js';
import type { Listing } from './listing.js';
import { folderOf, partOf, splitByPart } from './parts.js';

/** Most JSON files that are looked at. */
const MOST_FILES = 200;

const LISTS = [/"images"\s*:\s*\[/, /"annotations"\s*:\s*\[/, /"categories"\s*:\s*\[/];
/** Files that COCO has beside its boxes, and that other programs write beside theirs. */
const OTHER_KIND = /captions|panoptic|keypoints|image_info|stuff/i;

/** COCO, as cocodataset.org, Roboflow, CVAT, Label Studio, Datumaro and FiftyOne write it. */
export const detectCoco: Detect = async (listing) => {
  const json = listing.files.filter((file) => /\.json$/i.test(file));
  const files = json.slice(0, MOST_FILES);
  const isCoco = (text: string): boolean =>
    LISTS.filter((list) => list.test(text)).length >= 2 && !/"items"\s*:\s*\[/.test(text);
  const some = await filesLike(listing, files, isCoco);
  const found = some.length === MOST_FILES ? json : some; // a file for each image
  const boxes = found.filter((file) => !OTHER_KIND.test(file));
  const chosen = boxes.length > 0 ? boxes : found;
  if (chosen.length === 0) return undefined;
  const split = splitByPart(chosen);
  const parts: Partial<Record<PartName, unknown>> = {};
  const read = new Set<string>();
  for (const [part, files] of Object.entries(split) as [PartName, string[]][]) {
    const places: { readonly annotations: string; readonly images: string }[] = [];
    for (const annotations of preferred(files)) {
      places.push({ annotations, images: await imagesOf(annotations, part, listing) });
      read.add(annotations);
    }
    parts[part] = places.length === 1 ? places[0] : places;
  }
  const why = `${counted(chosen.length, 'JSON file')} ${chosen.length === 1 ? 'has' : 'have'} the lists images, annotations and categories`;
  return { certainty: 1, why, parts, unread: chosen.filter((file) => !read.has(file)) };
};

/** The files of a part that are read: those that are called instances, where some are, and not those of training and
 *  validation together beside those of the training part alone. */
function preferred(files: readonly string[]): string[] {
  const named = files.filter((file) => /instances/i.test(file));
  const some = named.length > 0 ? named : files;
  const alone = some.filter((file) => !/trainval/i.test(file));
  return alone.length > 0 ? [...alone] : [...some];
}

/** The folder to which the names of an annotation file are relative: the one that has the first of its images. */
async function imagesOf(annotations: string, part: PartName, listing: Listing): Promise<string> {
  const text = await listing.sample(annotations);
  const written = [...text.matchAll(/"file_name"\s*:\s*("(?:[^"\\]|\\.)*")/g)]
    .slice(0, 5)
    .map(([, name]) => parse(name!));
  const folders = written.flatMap((name) => foldersWith(name, listing));
  const own = folderOf(annotations);
  return (
    folders.find((folder) => folder === own) ??
    folders.find((folder) => partOf(folder) === part) ??
    folders.find((folder) => partOf(folder) === undefined) ??
    folders[0] ??
    own
  );
}

/** The folders from which a name, in one of the ways to read it, leads to an image; those that keep most of it first. */
function foldersWith(name: string, { images }: Listing): string[] {
  for (const { path } of readingsOf(name).sort((a, b) => b.kept - a.kept)) {
    const wanted = keyOf(path);
    const found = images.filter((image) => keyOf(image) === wanted || keyOf(image).endsWith(`/${wanted}`));
    if (found.length > 0) {
      const depth = path.split('/').length; // an accent may be composed in two ways, so lengths can differ
      return found.map((image) => image.split('/').slice(0, -depth).join('/') || '.');
    }
  }
  return [];
}

const keyOf = (path: string): string => path.normalize().toLowerCase();

function parse(json: string): string {
  try {
    return JSON.parse(json) as string;
  } catch {
    return json.slice(1, -1);
  }
}
