import type { Problem } from '../errors.js';
import type { Category } from './sample.js';

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
  readonly name: string;
  /** Its categories: all that its files list, or those of its objects, sorted. */
  readonly categories: readonly Category[];
  /** Whether the ids of the categories stand in its files, as in COCO. Otherwise they are numbered once all parts are
   *  read. */
  readonly hasIds: boolean;
  readonly images: readonly RawImage[];
  /** The file or folder that names the categories, for errors. */
  readonly place: string;
}

/** Whether a box without area or outside its image, and an image that is missing or cannot be decoded, is an error or
 *  is dropped. */
export interface DropPolicies {
  readonly invalidBoxes?: 'error' | 'drop';
  readonly brokenImages?: 'error' | 'drop';
}
