import { counted, filesLike, spread, type Detect } from './detected.js';
import { filesInParts, foldersInParts } from './parts.js';

/** Recognises a layout that has one JSON file for each image: its places are folders. */
export const jsonPerImage =
  (looksRight: (text: string) => boolean, what: string): Detect =>
  async (listing) => {
    const files = listing.files.filter((file) => /\.json$/i.test(file));
    const sample = spread(files);
    const alike = await filesLike(listing, sample, looksRight);
    if (alike.length === 0 || alike.length < 0.5 * sample.length) return undefined;
    const why = `${counted(files.length, 'JSON file')} ${files.length === 1 ? 'has' : 'have'} ${what}`;
    return { certainty: 0.98, why, ...foldersInParts(files) };
  };

/** Recognises a layout that has one file for all images of a part: its places are files. */
export const filePerPart =
  (extension: RegExp, looksRight: (text: string, path: string) => boolean, what: string, certainty = 0.98): Detect =>
  async (listing) => {
    const files = listing.files.filter((file) => extension.test(file)).slice(0, 200);
    const alike = await filesLike(listing, files, looksRight);
    if (alike.length === 0) return undefined;
    const why = `${counted(alike.length, 'file')} ${alike.length === 1 ? 'has' : 'have'} ${what}`;
    return { certainty, why, ...filesInParts(alike) };
  };
