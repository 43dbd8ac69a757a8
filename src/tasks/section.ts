/** What a report shows of a score, as plain data; report/ has a drawing for each kind. Fractions below 0 and NaN mean that there was
 *  nothing to measure. */
export type Section =
  NumbersSection | CategoriesSection | BoxesSection | MatrixSection | TableSection | PicturesSection | CurvesSection;

/** Rows of numbers under heads of their own. */
export interface NumbersSection {
  readonly kind: 'numbers';
  readonly title: string;
  readonly text: string;
  readonly rows: readonly {
    readonly name: string;
    readonly numbers: readonly (readonly [head: string, value: number])[];
  }[];
  readonly note: string;
}

/** A row per category, in the data set's order; the report adds how often each occurs, and a bar for the last number. */
export interface CategoriesSection {
  readonly kind: 'categories';
  readonly heads: readonly string[];
  readonly rows: readonly { readonly name: string; readonly numbers: readonly number[] }[];
  /** What is counted in each part: objects. */
  readonly counted: string;
}

/** Images with their boxes, true and predicted. */
export interface BoxesSection {
  readonly kind: 'boxes';
  readonly examples: readonly Example[];
  /** The categories: each has a colour by its place. */
  readonly names: readonly string[];
  /** Predictions below it are not drawn. */
  readonly scoreThreshold: number;
}

/** How often each class was taken for each. */
export interface MatrixSection {
  readonly kind: 'matrix';
  readonly names: readonly string[];
  /** Where the rows have names of their own. */
  readonly rowNames?: readonly string[];
  /** What is counted. */
  readonly text?: string;
  /** Rows: what is true; columns: what was predicted. */
  readonly counts: readonly (readonly number[])[];
}

export interface TableSection {
  readonly kind: 'table';
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The last column holds sentences. */
  readonly wordy?: true;
  readonly note: string;
}

/** Points of a curve, highest score first. */
export interface PrecisionRecall {
  readonly recall: Float64Array;
  readonly precision: Float64Array;
}

/** Precision over recall: a curve for each class, and for each size of objects the mean over its classes. */
export interface CurvesSection {
  readonly kind: 'curves';
  readonly title: string;
  readonly classes: ReadonlyMap<string, PrecisionRecall>;
  readonly sizes: ReadonlyMap<string, readonly PrecisionRecall[]>;
}

/** Images with a line each, worst first. */
export interface PicturesSection {
  readonly kind: 'pictures';
  readonly title: string;
  readonly text: string;
  readonly pictures: readonly { readonly file: string; readonly imageId: string | number; readonly caption: string }[];
}

export type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

export interface TruthBox {
  /** Pixels of the upright image. */
  readonly box: Corners;
  readonly label: string;
  readonly ignore: boolean;
}

export interface PredictedBox {
  readonly box: Corners;
  readonly label: string;
  /** 0…1. */
  readonly score: number;
}

/** An image of the report: what is on it, and what the model saw. */
export interface Example {
  readonly file: string;
  readonly imageId: string | number;
  /** Size of the image as stored upright. */
  readonly width: number;
  readonly height: number;
  readonly truth: readonly TruthBox[];
  readonly predictions: readonly PredictedBox[];
  /** What the report sorts by, the worst being the highest. */
  readonly error: number;
  readonly caption: string;
}
