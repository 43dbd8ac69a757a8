import type { Problem } from '../errors.js';
import type { Dataset } from './sample.js';

/** An object as its file has it: any format, before it is checked against the image and the categories to learn. */
export interface RawObject {
  readonly id: number;
  readonly category: string;
  /** x, y, width, height; 0-based pixels of the upright image, not clipped. Width and height are positive. */
  readonly bbox: readonly [number, number, number, number];
  readonly area: number;
  readonly iscrowd: 0 | 1;
  readonly ignore?: 0 | 1;
  /** The problem `message` says of this object, located in its file. */
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

/** A part as read, before it is known what to learn: the parts must agree on that. */
export interface ReadPart {
  /** Names of the categories: in the file's order (COCO), or those of the objects, sorted (VOC). */
  readonly names: readonly string[];
  /** Check against the categories to learn, given by name. Throws E_DATA_CATEGORY; the rest goes to the findings that it was read with. */
  build(names: readonly string[]): Dataset;
}

/** What to do with a box without area or outside its image, and with an image that is missing or cannot be decoded. */
export interface DropPolicies {
  readonly invalidBoxes?: 'error' | 'drop';
  readonly brokenImages?: 'error' | 'drop';
}
