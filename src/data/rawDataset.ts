import type { Problem } from '../errors.js';
import type { Category, Dataset } from './sample.js';

/** An object as it stands in its file, whatever the format, before it is checked against the image and the categories
 *  to learn. */
export interface RawObject {
  readonly id: number;
  readonly category: string;
  /** x, y, width, height; 0-based pixels of the upright image, not clipped. Width and height are positive. */
  readonly bbox: readonly [number, number, number, number];
  readonly area: number;
  readonly iscrowd: 0 | 1;
  readonly ignore?: 0 | 1;
  /** Makes a problem with this message and the object's place in its file. */
  readonly problem: (message: string) => Problem;
}

export interface RawImage {
  readonly imageId: string | number;
  /** Absolute path. */
  readonly file: string;
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly RawObject[];
}

/** A part whose files were read, but whose categories are not chosen yet: all parts must agree on those. */
export interface ReadPart {
  /** Its categories: in the file's order (COCO), or those of the objects, sorted (VOC). */
  readonly categories: readonly Category[];
  /** Checks the part against the names of the categories to learn; `known` are the categories of the training part.
   *  Throws E_DATA_CATEGORY; other problems go to the findings that the part was read with. */
  build(names: readonly string[], known: readonly Category[]): Dataset;
}

/** Whether a box without area or outside its image, and an image that is missing or cannot be decoded, is an error or
 *  is dropped. */
export interface DropPolicies {
  readonly invalidBoxes?: 'error' | 'drop';
  readonly brokenImages?: 'error' | 'drop';
}
