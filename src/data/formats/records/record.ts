import type { Where } from '../../../errors.js';
import type { Extent } from '../../image/frame.js';
import type { Category } from '../../sample.js';

/** An object as it stands in a file of labels. */
export interface ObjectRecord {
  readonly category: string;
  /** x1, y1, x2, y2, …: of a `box` its corners, left top and right bottom; of an `outline` any points around it. */
  readonly points: readonly number[];
  readonly form: 'box' | 'outline';
  /** Pixels of the image, or shares of its width and height. */
  readonly unit: 'pixels' | 'shares';
  /** Clockwise rotation about the first point, degrees. */
  readonly rotation?: number;
  /** A region of many objects, or one that neither counts when it is found nor when it is missed. */
  readonly mark?: 'crowd' | 'ignore' | undefined;
  /** Its place in the file. */
  readonly where: Where;
  /** The object in the words of an error message: `shape 2 "dog"`. */
  readonly subject: string;
}

/** An image as it stands in a file of labels. */
export interface ImageRecord {
  /** The name of its file as it is written. */
  readonly name: string;
  /** The name has no extension. */
  readonly isStem?: boolean;
  /** Names that may lead to the image where the first does not. */
  readonly otherNames?: readonly string[];
  /** Absolute path of its file, where that is known. */
  readonly file?: string;
  /** Reads the image where it stands in the file of labels itself; undefined if it is not there. */
  readonly bytes?: () => Promise<Uint8Array | undefined>;
  readonly size?: Extent | undefined;
  /** The place of the size; that of the record if absent. */
  readonly sizeAt?: Where;
  readonly objects: readonly ObjectRecord[];
  readonly where: Where;
}

/** What a part's files of labels say. */
export interface PartRecords {
  readonly images: readonly ImageRecord[];
  /** All categories, if the files list them; else those of the objects. */
  readonly categories?: readonly Category[] | undefined;
}
