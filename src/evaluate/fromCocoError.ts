import type { CocoError } from '../pycocotools/index.js';
import { FinetuneError, type Problem } from '../errors.js';

/** Maximum number of problems that are listed. */
const MOST_PROBLEMS = 20;

/** Converts an error of pycocotools/ to a FinetuneError, which the command line prints. `file` is used if the error
 *  does not name one. */
export function fromCocoError(error: CocoError, file?: string): FinetuneError {
  const problems = error.problems.slice(0, MOST_PROBLEMS).map(({ code, message, where, fix }): Problem => {
    const place = where?.file ?? file;
    const path = where?.path ? `${where.path}: ` : '';
    const offset = where?.line === undefined && where?.offset !== undefined ? ` (byte ${where.offset})` : '';
    return {
      code: code === 'E_COCO_ENCODING' ? 'E_ENCODING' : code,
      message: `${path}${message}${offset}`,
      where: {
        ...(place === undefined ? {} : { file: place }),
        ...(where?.line === undefined ? {} : { line: where.line }),
        ...(where?.column === undefined ? {} : { column: where.column }),
      },
      ...(fix ? { fix } : {}),
    };
  });
  const rest = error.problems.length - problems.length;
  if (rest > 0) problems.push({ code: error.code, message: `… and ${rest} more` });
  return new FinetuneError(problems, { cause: error });
}
