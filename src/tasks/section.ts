/** A part of a report, as plain data; report/ draws each kind. Fractions below 0 and NaN mean that there was nothing to
 *  measure. */
export type Section =
  NumbersSection | CategoriesSection | BoxesSection | MatrixSection | TableSection | PicturesSection | CurvesSection;

/** Rows of numbers, each number under its own head. */
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

/** A row for each category, in the order of the data set. The report adds the number of occurrences, and a bar for the
 *  last number. */
export interface CategoriesSection {
  readonly kind: 'categories';
  readonly heads: readonly string[];
  readonly rows: readonly { readonly name: string; readonly numbers: readonly number[] }[];
  /** Plural of what the report counts in each part of the data: "objects" for instance. */
  readonly counted: string;
}

/** Images with their boxes, true and predicted. */
export interface BoxesSection {
  readonly kind: 'boxes';
  readonly examples: readonly Example[];
  /** Names of the categories. The place of a category in this list chooses its colour. */
  readonly names: readonly string[];
  /** Predictions with a lower score are not drawn. */
  readonly scoreThreshold: number;
}

/** How often each class was predicted for each true class. */
export interface MatrixSection {
  readonly kind: 'matrix';
  readonly names: readonly string[];
  /** Names of the rows, where they differ from those of the columns. */
  readonly rowNames?: readonly string[];
  /** A sentence that says what is counted. */
  readonly text?: string;
  /** Rows: the true class; columns: the predicted one. */
  readonly counts: readonly (readonly number[])[];
}

export interface TableSection {
  readonly kind: 'table';
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Set where the last column holds sentences. */
  readonly wordy?: true;
  readonly note: string;
}

/** The points of a curve, from the highest score to the lowest. */
export interface PrecisionRecall {
  readonly recall: Float64Array;
  readonly precision: Float64Array;
}

/** Precision over recall: a curve for each class, and the mean over the classes for each size of objects. */
export interface CurvesSection {
  readonly kind: 'curves';
  readonly title: string;
  readonly classes: ReadonlyMap<string, PrecisionRecall>;
  readonly sizes: ReadonlyMap<string, readonly PrecisionRecall[]>;
}

/** Images with a caption each, worst first. */
export interface PicturesSection {
  readonly kind: 'pictures';
  readonly title: string;
  readonly text: string;
  readonly pictures: readonly { readonly file: string; readonly imageId: string | number; readonly caption: string }[];
}

export type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

export interface TruthBox {
  /** In pixels of the upright image. */
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

/** An image of the report with its true and its predicted boxes. */
export interface Example {
  readonly file: string;
  readonly imageId: string | number;
  /** Size of the upright image, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly truth: readonly TruthBox[];
  readonly predictions: readonly PredictedBox[];
  /** The report sorts by it, largest first. */
  readonly error: number;
  readonly caption: string;
}
