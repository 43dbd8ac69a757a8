import type { Kind, PartName } from '../../sample.js';
import type { Listing } from './listing.js';

/** What one layout found in a folder. */
export interface Detected {
  /** The name of the layout, as `data.format` of a recipe gives it. */
  readonly format: string;
  readonly kind: Kind;
  /** From 0, a mere possibility, to 1: no other layout looks like this. */
  readonly certainty: number;
  /** Options of `data` in a recipe that read it, with `format` and an absolute `root`. A part that was not found is not
   *  among them. */
  readonly data: Readonly<Record<string, unknown>> & { readonly format: string; readonly root: string };
  readonly parts: readonly PartName[];
  /** Files of the layout that `data` leaves out, because the recipe names one file for each part. */
  readonly unread: readonly string[];
  /** Number of image files below the folder. */
  readonly images: number;
  /** Files that are images of a kind that cannot be read. */
  readonly foreign: readonly string[];
  /** What speaks for it, as the end of "this is YOLO, because …". */
  readonly why: string;
}

/** What a layout says about a folder; undefined if the folder is not of this layout. */
export interface Guess {
  readonly certainty: number;
  readonly why: string;
  /** The parts, as the options of a recipe name them. */
  readonly parts: Partial<Record<PartName, unknown>>;
  /** Files of the layout that the parts leave out (default: none). */
  readonly unread?: readonly string[];
  /** Other options that the layout needs. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Looks whether a folder has the files of one layout. */
export type Detect = (listing: Listing) => Promise<Guess | undefined>;

/** Most files of which the contents are looked at. */
export const MOST_SAMPLES = 20;

/** Some of the files, spread evenly over all of them. */
export function spread(files: readonly string[], most = MOST_SAMPLES): string[] {
  if (files.length <= most) return [...files];
  return Array.from({ length: most }, (_, i) => files[Math.floor((i * files.length) / most)]!);
}

/** Those of the files whose sample passes a test. */
export async function filesLike(
  listing: Listing,
  files: readonly string[],
  test: (text: string, path: string) => boolean,
): Promise<string[]> {
  const passed: string[] = [];
  for (const file of files) if (test(await listing.sample(file), file)) passed.push(file);
  return passed;
}

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What a person is told about images of a kind that cannot be read. */
export const describeForeign = ([first, ...others]: readonly string[]): string =>
  `${first!}${others.length > 0 ? ` and ${counted(others.length, 'file')} more` : ''} cannot be read as an image: save it as JPEG or PNG`;

/** What a person is told about files of labels that are not read. */
export const describeUnread = (unread: readonly string[]): string =>
  `not read: ${unread.slice(0, 3).join(', ')}${unread.length > 3 ? ` and ${unread.length - 3} more` : ''}, since they belong to no part (name them in the recipe's data.train, or join them with its files)`;
