import type { z } from 'zod';
import type { Conflict, Idle } from '../../conflict.js';
import type { BackboneChoice } from '../../models/table.js';
import type { Detector, DetectorOptions } from './detector.js';

type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;

/** A head's own options, as its schema describes them; for an unknown head any object. */
export type OwnOptions<Schema extends z.ZodObject> = string extends keyof z.output<Schema>
  ? object
  : Immutable<z.output<Schema>>;

/** All options that a head's detector is made from. */
export type HeadOptions<Schema extends z.ZodObject> = DetectorOptions & OwnOptions<Schema>;

/** A head: everything that the rest of the program needs to know about it. Each has a folder in detectors/ and a line
 *  in detectors.ts. */
export interface DetectorHead<Name extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  /** Its value of `model.head`. */
  readonly name: Name;
  /** A sentence for the reference of recipes. */
  readonly description: string;
  /** Its own options in `model`, besides the backbone and the weights. */
  readonly options: Schema;
  /** Defaults for programs (src/api.ts) where they differ from those of recipes. */
  readonly defaults?: Partial<HeadOptions<Schema>>;
  /** Its own options that only training reads, or that limit how many boxes it finds: weights fit whatever their values
   *  are. */
  readonly trainingOptions?: readonly (keyof z.output<Schema> & string)[];
  /** Why it takes inputs of a single size, to be read after its name: "has a grid for one size". Left out by heads that
   *  take any size. */
  readonly oneSize?: string;
  /** The option in `model` that `finetune anchors` fits to the boxes. Left out by heads without anchors. */
  readonly anchorOption?: 'anchors' | 'anchorScale';
  /** Whether `addClasses` works with it: its criterion reads `LossOptions.old`. */
  readonly keepsOldClasses?: boolean;
  /** Number that the sides of the input should be multiples of, in pixels; left out: the stride of a backbone's last
   *  feature map. */
  sizeMultiple?(options: OwnOptions<Schema>): number;
  /** Another setting of its options that reaches smaller objects, for `finetune check` to try; undefined where there is
   *  none. */
  forSmallObjects?(options: OwnOptions<Schema>): Partial<OwnOptions<Schema>> | undefined;
  /** The options of recipes that it does not read with these options. */
  idle?(options: OwnOptions<Schema>): readonly Idle[];
  /** Contradictions between its options, or with the backbone. `isSet` tells what the user wrote from what a default
   *  filled in. */
  conflicts?(
    model: OwnOptions<Schema> & { readonly backbone: BackboneChoice },
    isSet: (path: string) => boolean,
  ): readonly Conflict[];
  /** Throws E_GRAPH_SHAPE or E_MODEL_SIZE where the input does not fit. */
  create(options: HeadOptions<Schema>): Detector;
}

/** Checks the description of a head, and keeps its types. */
export const defineDetector = <Name extends string, Schema extends z.ZodObject>(
  head: DetectorHead<Name, Schema>,
): DetectorHead<Name, Schema> => head;
