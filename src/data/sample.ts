import { invariant } from '../errors.js';
import type { Xyxy } from '../geometry/box.js';

/** A category as the data set numbers it (COCO's 1…90, say). Not a model's class index. */
export type CategoryId = number & { readonly __categoryId: unique symbol };
/** A model's class, 0…K−1, in the order of `Categories.list`. */
export type ClassIndex = number & { readonly __classIndex: unique symbol };

export interface Category {
  readonly id: CategoryId;
  readonly name: string;
}

/** What an image is annotated with: boxes of objects, words of scene text, or one class for the whole image. */
export type Kind = 'boxes' | 'text' | 'wholeImage';

/** What every annotation has. Boxes are pixels of the image as stored upright (EXIF applied); an image of the kind `wholeImage` has none. */
interface AnnotationBase {
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
export interface Dataset<A extends Annotation = Annotation> {
  readonly name: string;
  readonly categories: readonly Category[];
  readonly annotations: readonly A[];
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
  /** What Mixup or CutMix put in: another image's class, and its share of this one, 0…1. */
  readonly mixed?: { readonly label: ClassIndex; readonly share: number };
}

/** An image as the network gets it. */
export type Sample = BoxSample | TextSample | WholeImageSample;
