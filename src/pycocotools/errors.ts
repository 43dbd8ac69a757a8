/** Where in a document a problem sits; the parts that are known. Line and column count from 1, offset from 0. */
export interface CocoWhere {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Byte offset in the file. */
  readonly offset?: number;
  /** JSON path, e.g. `annotations[12].bbox`. */
  readonly path?: string;
}

export type CocoErrorCode =
  | 'E_COCO_FILE' // cannot be opened or read
  | 'E_COCO_ENCODING' // not UTF-8
  | 'E_COCO_JSON' // not JSON: truncated, stray characters
  | 'E_COCO_NUMBER' // NaN, Infinity, or a number where it cannot be
  | 'E_COCO_FORMAT' // JSON, but not of COCO's form
  | 'E_COCO_FIELD' // a field is missing or of the wrong type
  | 'E_COCO_IMAGE_ID' // an image id that the data set does not have
  | 'E_COCO_CATEGORY_ID' // a category id that the data set does not have
  | 'E_COCO_DUPLICATE_ID' // an id used twice
  | 'E_COCO_SIZE' // a negative width, height or area
  | 'E_COCO_ID' // asked for an id that is not there
  | 'E_COCO_RLE' // a run-length code that does not fit its size
  | 'E_COCO_POLYGON' // not a polygon
  | 'E_COCO_MASK' // a mask whose data do not fit its size, or masks of different sizes
  | 'E_COCO_KEYPOINTS' // keypoints that do not fit the sigmas
  | 'E_COCO_PARAMS' // evaluation settings that make no sense
  | 'E_COCO_ORDER'; // evaluate → accumulate → summarize, called out of order

export interface CocoProblem {
  readonly code: CocoErrorCode;
  readonly message: string;
  readonly where?: CocoWhere;
  /** What to do about it. */
  readonly fix?: string;
}

/** Listing more than this helps nobody; the number of the rest is said. */
const MAX_LISTED = 20;

/** Everything this package throws on purpose. `problems` holds all that was found at once. */
export class CocoError extends Error {
  override readonly name = 'CocoError';
  readonly code: CocoErrorCode;
  readonly problems: readonly CocoProblem[];

  constructor(problems: CocoProblem | readonly CocoProblem[], options?: ErrorOptions) {
    const all: readonly CocoProblem[] = 'code' in problems ? [problems] : problems;
    const listed = all.slice(0, MAX_LISTED).map(formatCocoProblem);
    if (all.length > MAX_LISTED) listed.push(`… and ${all.length - MAX_LISTED} more`);
    super(listed.join('\n'), options);
    this.code = all[0]!.code;
    this.problems = all;
  }
}

/** `file:line:column  path: message   CODE`, then the fix on a line of its own. */
export function formatCocoProblem({ code, message, where, fix }: CocoProblem): string {
  const place = [where?.file, where?.line, where?.column].filter((part) => part !== undefined).join(':');
  const path = where?.path ? `${where.path}: ` : '';
  const offset = where?.offset === undefined ? '' : ` (byte ${where.offset})`;
  return `${place ? `${place}  ` : ''}${path}${message}${offset}   ${code}${fix ? `\n  ${fix}` : ''}`;
}

/** The same problems, each saying which file it is in. */
export function inFile(error: unknown, file: string): unknown {
  if (!(error instanceof CocoError)) return error;
  return new CocoError(error.problems.map((problem) => ({ ...problem, where: { file, ...problem.where } })));
}
