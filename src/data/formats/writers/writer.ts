import type { PartName } from '../../sample.js';

/** An object to write. */
export interface WrittenObject {
  readonly category: string;
  /** x, y, width, height in pixels; not clipped to the image. */
  readonly bbox: readonly [number, number, number, number];
  readonly area: number;
  readonly mark: 'crowd' | 'ignore' | undefined;
  /** The outline and the transcription of a word. */
  readonly word?: { readonly outline: readonly number[]; readonly text: string };
}

/** An image to write. */
export interface WrittenImage {
  readonly part: PartName;
  /** Its file name, without folders; its stem is unique in the whole data set. */
  readonly name: string;
  readonly stem: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly WrittenObject[];
  /** The class of the whole image. */
  readonly label?: string;
}

/** A data set to write. */
export interface WrittenSet {
  readonly parts: readonly PartName[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly images: readonly WrittenImage[];
}

/** Something that a layout cannot express, and how often it occurs. */
export interface Loss {
  readonly what: string;
  readonly count: number;
}

/** A data set in a layout. */
export interface Written {
  /** Text files by their paths. */
  readonly files: ReadonlyMap<string, string>;
  /** Where the file of an image goes. */
  readonly imagePath: (image: WrittenImage) => string;
  readonly losses: readonly Loss[];
}

export type Writer = (set: WrittenSet) => Written;

/** The losses that occur. */
export const occurring = (losses: Readonly<Record<string, number>>): Loss[] =>
  Object.entries(losses).flatMap(([what, count]) => (count > 0 ? [{ what, count }] : []));

export const imagesOf = ({ images }: WrittenSet, part: PartName): WrittenImage[] =>
  images.filter((image) => image.part === part);

export const countObjects = (
  { images }: WrittenSet,
  test: (object: WrittenObject, image: WrittenImage) => boolean,
): number => images.reduce((sum, image) => sum + image.objects.filter((object) => test(object, image)).length, 0);

/** Objects with a mark, in a layout that has none: they would be learned like others, so that they are left out. */
export const UNMARKED = 'crowd or ignored object, left out';

export const isMarked = ({ mark }: WrittenObject): boolean => mark !== undefined;

/** Categories without an object, in a layout that has no list of categories. */
export function unused({ categories, images }: WrittenSet): number {
  const used = new Set(images.flatMap(({ objects }) => objects.map(({ category }) => category)));
  return categories.filter(({ name }) => !used.has(name)).length;
}

/** A number without the noise of its last digits. */
export const tidy = (value: number): number => Number(value.toPrecision(12));

export const toJson = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;
