import { invariant } from '../errors.js';
import type { Xyxy } from '../geometry/box.js';
import type { Tile } from '../geometry/tiles.js';

/** A category's number in its data set, such as COCO's 1…90. Not a model's class index. */
export type CategoryId = number & { readonly __categoryId: unique symbol };
/** The index of a model's class, 0…K−1, in the order of `Dataset.categories`. */
export type ClassIndex = number & { readonly __classIndex: unique symbol };

export interface Category {
  readonly id: CategoryId;
  readonly name: string;
}

/** What an image is annotated with: boxes of objects, words of scene text, or one class for the whole image. */
export type Kind = 'boxes' | 'text' | 'wholeImage';

/** What every annotation has. Boxes are pixels of the image as stored upright (EXIF applied); an image of the kind
 *  `wholeImage` has none. */
interface AnnotationBase {
  /** The file stem for VOC, the number for COCO. */
  readonly imageId: string | number;
  /** Absolute path. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** The tile of the image that the network sees; all of the image if absent. `width`, `height` and boxes stay those of
   *  the whole image. */
  readonly view?: Tile | undefined;
  /** [N,4]. */
  readonly boxes: Xyxy;
  /** [N]. */
  readonly classes: readonly ClassIndex[];
  /** [N]: crowd regions and difficult objects, which are never a training target and never a false positive. */
  readonly ignore: readonly boolean[];
}

export interface BoxAnnotation extends AnnotationBase {
  readonly kind: 'boxes';
}

export interface TextAnnotation extends AnnotationBase {
  readonly kind: 'text';
  /** [N]: the words whose rectangles `boxes` holds. */
  readonly words: readonly TextWord[];
}

export interface WholeImageAnnotation extends AnnotationBase {
  readonly kind: 'wholeImage';
  /** The class of the image. */
  readonly label: ClassIndex;
}

/** What is on one image, before anything is decoded. */
export type Annotation = BoxAnnotation | TextAnnotation | WholeImageAnnotation;

/** One of a union of tagged objects: OfKind<Annotation, 'text'> is TextAnnotation. */
export type OfKind<T extends { readonly kind: Kind }, K extends Kind> = Extract<T, { readonly kind: K }>;

/** The annotation, sample or option as one of this kind. Throws E_INTERNAL if it is of another. */
export function ofKind<T extends { readonly kind: Kind }, K extends Kind>(tagged: T, kind: K): OfKind<T, K> {
  invariant(tagged.kind === kind, `wanted ${kind}, got ${tagged.kind}`);
  return tagged as OfKind<T, K>;
}

/** A function for each kind of a tagged object. */
export type KindTable<T extends { readonly kind: Kind }, Result> = {
  readonly [K in Kind]: (tagged: OfKind<T, K>) => Result;
};

/** Calls the function of the table that belongs to the object's kind. */
export const byKind = <T extends { readonly kind: Kind }, Result>(tagged: T, table: KindTable<T, Result>): Result =>
  (table[tagged.kind] as (tagged: T) => Result)(tagged);

/** A word of scene text, in pixels: of the upright image in an annotation, of the input in a sample. */
export interface TextWord {
  /** The transcription; '' if it is unknown. */
  readonly text: string;
  /** x1, y1, …: four corners or more, clockwise from the top of the first letter. */
  readonly outline: readonly number[];
  /** A quad (8 numbers) for each character except white space, clockwise from its top left in reading direction; absent
   *  if the characters' places are unknown. */
  readonly characters?: readonly (readonly number[])[];
  /** The word is unreadable: training ignores it, and the score counts neither finding nor missing it. */
  readonly dontCare: boolean;
  /** Weight of the characters in training, 0…1; 1 if absent. Less than 1 for characters that were estimated. */
  readonly confidence?: number;
}

/** Images of classes that a model knows already: they stand behind a part's own images, and every batch has some of
 *  both. */
export interface OldImages {
  /** Row of the first of them among the annotations. */
  readonly from: number;
  /** Their share of a batch, 0…1; at least one image of a batch is old and one is new. */
  readonly share: number;
}

/** How much was left out or corrected while a data set was read, by reason: {"box without area": 2}. The report lists
 *  it. */
export type Dropped = Readonly<Record<string, number>>;

export type PartName = 'train' | 'val' | 'test';

/** One part (train, val, test) of a data set. It holds annotations, not pixels, so it fits in memory. */
export interface Dataset<A extends Annotation = Annotation> {
  readonly name: string;
  readonly categories: readonly Category[];
  readonly annotations: readonly A[];
  readonly dropped: Dropped;
  /** How often each annotation comes in an epoch of training, on average; once if absent. */
  readonly repeat?: Float64Array | undefined;
  /** Set for a training part that also holds images of classes that the model already knows. */
  readonly old?: OldImages;
  /** The part as a COCO ground-truth object, with the categories' own ids; the evaluator reads it. */
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

/** Pixels of an image: interleaved RGB, row after row. */
export interface Picture {
  /** [height, width, 3], 0…255. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Maps a point of the original image to the network's input: x' = x·scaleX + offsetX, and y likewise. */
export interface Placement {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** What every sample has: an image at the network's input size, with its boxes in the same pixels. */
interface SampleBase {
  readonly imageId: string | number;
  readonly file: string;
  readonly picture: Picture;
  readonly boxes: Xyxy;
  readonly classes: readonly ClassIndex[];
  readonly ignore: readonly boolean[];
  /** Whether augmentation flipped it left to right. */
  readonly flipped: boolean;
  /** Size of the image as stored upright. */
  readonly originalWidth: number;
  readonly originalHeight: number;
  /** The tile of the image that this is; all of the image if absent. */
  readonly view?: Tile | undefined;
  readonly placement: Placement;
}

export interface BoxSample extends SampleBase {
  readonly kind: 'boxes';
}

export interface TextSample extends SampleBase {
  readonly kind: 'text';
  readonly words: readonly TextWord[];
}

export interface WholeImageSample extends SampleBase {
  readonly kind: 'wholeImage';
  /** The class of the image. */
  readonly label: ClassIndex;
  /** Set by Mixup and CutMix: the class of the other image, and its share of this sample, 0…1. */
  readonly mixed?: { readonly label: ClassIndex; readonly share: number };
}

/** An image as the network receives it. */
export type Sample = BoxSample | TextSample | WholeImageSample;
