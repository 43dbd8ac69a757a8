import { readingsOf } from '../../image/readings.js';
import type { PartName } from '../../sample.js';
import { counted, filesLike, type Detect } from './detected.js';
import type { Listing } from './listing.js';
import { folderOf, partOf, splitByPart } from './parts.js';

const LISTS = [/"images"\s*:\s*\[/, /"annotations"\s*:\s*\[/, /"categories"\s*:\s*\[/];
/** Files that COCO has beside its boxes, and that other programs write beside theirs. */
const OTHER_KIND = /captions|panoptic|keypoints|image_info|stuff/i;

/** COCO, as cocodataset.org, Roboflow, CVAT, Label Studio, Datumaro and FiftyOne write it. */
export const detectCoco: Detect = async (listing) => {
  const files = listing.files.filter((file) => /\.json$/i.test(file)).slice(0, 200);
  const isCoco = (text: string): boolean =>
    LISTS.filter((list) => list.test(text)).length >= 2 && !/"items"\s*:\s*\[/.test(text);
  const found = await filesLike(listing, files, isCoco);
  const boxes = found.filter((file) => !OTHER_KIND.test(file));
  const chosen = boxes.length > 0 ? boxes : found;
  if (chosen.length === 0) return undefined;
  const split = splitByPart(chosen);
  const parts: Partial<Record<PartName, unknown>> = {};
  for (const [part, [first, ...others]] of Object.entries(split) as [PartName, string[]][]) {
    const annotations = [first!, ...others].find((file) => /instances/i.test(file)) ?? first!;
    parts[part] = { annotations, images: await imagesOf(annotations, part, listing) };
  }
  const why = `${counted(chosen.length, 'JSON file')} ${chosen.length === 1 ? 'has' : 'have'} the lists images, annotations and categories`;
  const read = new Set(Object.values(parts).map((part) => (part as { annotations: string }).annotations));
  return { certainty: 1, why, parts, unread: chosen.filter((file) => !read.has(file)) };
};

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
