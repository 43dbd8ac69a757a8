import { join } from 'node:path';
import type { PartName } from '../../sample.js';
import { counted, filesLike, spread, type Detect } from './detected.js';
import { foldersInParts } from './parts.js';

/** Pascal VOC: with lists in ImageSets/Main, or XML files in any folders. */
export const detectVoc: Detect = async (listing) => {
  const files = listing.files.filter((file) => /\.xml$/i.test(file));
  const sample = spread(files);
  const alike = await filesLike(listing, sample, (text) => /<annotation[\s>]/.test(text));
  if (alike.length === 0 || alike.length < 0.5 * sample.length) return undefined;
  const what = `${counted(files.length, 'XML file')} ${files.length === 1 ? 'is' : 'are'} an <annotation>`;
  const places = listing.files.flatMap((file) => /^((?:.*\/)?)ImageSets\/Main\/[^/]+\.txt$/.exec(file)?.[1] ?? []);
  const [folder, second] = [...new Set(places)];
  const lists = listing.files.flatMap((file) => /(?:^|\/)ImageSets\/Main\/([^/]+)\.txt$/.exec(file)?.[1] ?? []);
  if (folder !== undefined && second === undefined && files.some((file) => file.startsWith(`${folder}Annotations/`))) {
    const has = (...names: readonly string[]): string | undefined => names.find((name) => lists.includes(name));
    const train = has('train', 'trainval', 'default') ?? lists.find((list) => !/^(?:val|test)$/.test(list));
    const parts: Partial<Record<PartName, string | undefined>> = {
      train,
      val: has('val', 'valid', 'validation'),
      test: has('test'),
    };
    const known = Object.entries(parts).filter(([, list]) => list !== undefined);
    const options = folder === '' ? {} : { root: join(listing.root, folder) };
    return {
      certainty: 1,
      why: `${what}, and ${folder}ImageSets/Main has lists`,
      parts: Object.fromEntries(known),
      options,
    };
  }
  const several =
    second === undefined
      ? ''
      : `; the lists of ${places.length > 0 ? [...new Set(places)].map((place) => `${place}ImageSets`).join(' and ') : ''} are not used, since they are several: name one of these folders to use its lists`;
  return { certainty: 0.98, why: `${what}${several}`, ...foldersInParts(files) };
};
