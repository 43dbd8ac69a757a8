/** Compressed run-length code as in COCO's files: size [height, width], and counts as a string of 6-bit characters. */
export interface Rle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** Run lengths of a mask in column-major order, beginning with a (possibly empty) run of zeros. */
export interface UncompressedRle {
  readonly size: readonly [height: number, width: number];
  readonly counts: readonly number[];
}

/** A list of polygons [x1, y1, x2, y2, …], or a run-length code. */
export type Segmentation = readonly (readonly number[])[] | Rle | UncompressedRle;

export interface CocoImage {
  readonly id: number;
  readonly width?: number;
  readonly height?: number;
  readonly file_name?: string;
  readonly [key: string]: unknown;
}

export interface CocoCategory {
  readonly id: number;
  readonly name?: string;
  readonly supercategory?: string;
  readonly [key: string]: unknown;
}

interface CocoFields {
  readonly image_id: number;
  /** [x, y, width, height], pixels. */
  readonly bbox?: readonly number[];
  readonly area?: number;
  readonly iscrowd?: number | boolean;
  readonly segmentation?: Segmentation;
  /** x, y, visibility (0 not labelled, 1 hidden, 2 visible) of every point. */
  readonly keypoints?: readonly number[];
  readonly num_keypoints?: number;
  readonly score?: number;
  readonly caption?: string;
  readonly [key: string]: unknown;
}

/** One annotated object, or one detection (then with `score`). */
export interface CocoAnnotation extends CocoFields {
  readonly id: number;
  readonly category_id: number;
}

/** One entry of a results file. */
export interface CocoResult extends CocoFields {
  readonly category_id?: number;
}

/** A parsed annotation file. */
export interface CocoDataset {
  readonly info?: unknown;
  readonly licenses?: unknown;
  readonly images?: readonly CocoImage[];
  readonly annotations?: readonly CocoAnnotation[];
  readonly categories?: readonly CocoCategory[];
  readonly [key: string]: unknown;
}

export type IouType = 'bbox' | 'segm' | 'keypoints';
