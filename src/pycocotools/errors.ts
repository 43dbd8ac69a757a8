/** Where in a document a problem is; only the known parts are set. Lines and columns are counted from 1, offsets from
 *  0. */
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
  | 'E_COCO_NUMBER' // NaN, Infinity, or a number in a wrong place
  | 'E_COCO_FORMAT' // JSON, but not in COCO's format
  | 'E_COCO_FIELD' // a field is missing or of the wrong type
  | 'E_COCO_IMAGE_ID' // an image id that the data set does not have
  | 'E_COCO_CATEGORY_ID' // a category id that the data set does not have
  | 'E_COCO_DUPLICATE_ID' // an id used twice
  | 'E_COCO_SIZE' // a negative width, height or area
  | 'E_COCO_ID' // a requested id does not exist
  | 'E_COCO_RLE' // a run-length code that does not fit its size
  | 'E_COCO_POLYGON' // not a polygon
  | 'E_COCO_MASK' // a mask whose data do not fit its size, or masks of different sizes
  | 'E_COCO_KEYPOINTS' // keypoints that do not fit the sigmas
  | 'E_COCO_PARAMS' // evaluation settings that make no sense
  | 'E_COCO_ORDER'; // evaluate, accumulate, summarize called in the wrong order

export interface CocoProblem {
  readonly code: CocoErrorCode;
  readonly message: string;
  readonly where?: CocoWhere;
  /** How to fix it. */
  readonly fix?: string;
}

/** Maximum number of problems that are listed; the number of the others is added. */
const MAX_LISTED = 20;

/** The error that this package throws on purpose. `problems` has all problems that were found together. */
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

/** Formats a problem as `file:line:column  path: message   CODE`, with the fix on a line of its own. */
export function formatCocoProblem({ code, message, where, fix }: CocoProblem): string {
  const place = [where?.file, where?.line, where?.column].filter((part) => part !== undefined).join(':');
  const path = where?.path ? `${where.path}: ` : '';
  const offset = where?.offset === undefined ? '' : ` (byte ${where.offset})`;
  return `${place ? `${place}  ` : ''}${path}${message}${offset}   ${code}${fix ? `\n  ${fix}` : ''}`;
}

/** Adds the file to each problem. */
export function inFile(error: unknown, file: string): unknown {
  if (!(error instanceof CocoError)) return error;
  return new CocoError(error.problems.map((problem) => ({ ...problem, where: { file, ...problem.where } })));
}
