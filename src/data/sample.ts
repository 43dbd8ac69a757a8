import type { Xyxy } from '../geometry/box.js';

/** A category as the data set numbers it (COCO's 1…90, say). Not a model's class index. */
export type CategoryId = number & { readonly __categoryId: unique symbol };
/** A model's class, 0…K−1, in the order of `Categories.list`. */
export type ClassIndex = number & { readonly __classIndex: unique symbol };

export interface Category {
  readonly id: CategoryId;
  readonly name: string;
}

/** What is on one image, before anything is decoded. Boxes are pixels of the image as stored upright (EXIF applied). */
export interface Annotation {
  /** The file stem for VOC, the number for COCO. */
  readonly imageId: string | number;
  /** Absolute path. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** [N,4]. */
  readonly boxes: Xyxy;
  /** [N]. */
  readonly classes: readonly ClassIndex[];
  /** [N]: crowd regions and difficult objects: never a training target, never a false positive. */
  readonly ignore: readonly boolean[];
  /** The class of the whole image, where the data set is one for classification; such an image has no boxes. */
  readonly label?: ClassIndex;
  /** [N]: what scene text has beyond a box; absent for all else. */
  readonly words?: readonly TextWord[];
}

/** A word of scene text, in pixels: of the upright image in an annotation, of the input in a sample. */
export interface TextWord {
  /** What it says; '' where nobody has written it down. */
  readonly text: string;
  /** x1, y1, …: clockwise from the first letter's top; four corners or more. */
  readonly outline: readonly number[];
  /** A quad (8 numbers) for each character but white space, clockwise from its top left as it is read; absent where they are not known. */
  readonly characters?: readonly (readonly number[])[];
  /** Nobody can read it: neither finding nor missing it counts, and it teaches nothing. */
  readonly dontCare: boolean;
  /** How far the characters can be trusted, 0…1; 1 if absent. */
  readonly confidence?: number;
}

/** Images of classes that a model knows already: they stand behind a part's own images, and every batch has some of both. */
export interface OldImages {
  /** Row of the first of them among the annotations. */
  readonly from: number;
  /** Their share of a batch, 0…1; at least one image of a batch is old and one is new. */
  readonly share: number;
}

/** Everything left out while a data set was read, by reason: {"box has no area": 2}. It reaches the report. */
export type Dropped = Readonly<Record<string, number>>;

export type PartName = 'train' | 'val' | 'test';

/** One part (train, val, test) of a data set. Small: annotations only, no pixels. */
export interface Dataset {
  readonly name: string;
  readonly categories: readonly Category[];
  readonly annotations: readonly Annotation[];
  readonly dropped: Dropped;
  /** How often each row comes in an epoch of training, on average; once if absent. */
  readonly repeat?: Float64Array | undefined;
  /** Where it is one to train on and has images of classes that the model knows already: they are among the annotations. */
  readonly old?: OldImages;
  /** The part as a COCO ground-truth object, with the categories' own ids: what the evaluator reads. */
  readonly toCoco: () => CocoGroundTruth;
}

export interface CocoGroundTruth {
  readonly images: readonly {
    readonly id: number | string;
    readonly width: number;
    readonly height: number;
    readonly file_name: string;
  }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly {
    readonly id: number;
    readonly image_id: number | string;
    readonly category_id: number;
    readonly bbox: readonly [number, number, number, number];
    readonly area: number;
    readonly iscrowd: 0 | 1;
    readonly ignore?: 0 | 1;
  }[];
}

/** Pixels, interleaved RGB, row after row. */
export interface Picture {
  /** [height, width, 3], 0…255. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How a point of the original image maps to the network's input: x' = x·scaleX + offsetX. */
export interface Placement {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** An image at the network's input size, with its boxes in the same pixels. */
export interface Sample {
  readonly imageId: string | number;
  readonly file: string;
  readonly picture: Picture;
  readonly boxes: Xyxy;
  readonly classes: readonly ClassIndex[];
  readonly ignore: readonly boolean[];
  /** Of scene text; absent for all else. */
  readonly words?: readonly TextWord[];
  /** The annotation's. */
  readonly label?: ClassIndex;
  /** What Mixup or CutMix put in: another image's class, and its share of this one, 0…1. */
  readonly mixed?: { readonly label: ClassIndex; readonly share: number };
  /** Whether augmentation turned it left to right. */
  readonly flipped: boolean;
  /** Size of the image as stored upright. */
  readonly originalWidth: number;
  readonly originalHeight: number;
  readonly placement: Placement;
}
