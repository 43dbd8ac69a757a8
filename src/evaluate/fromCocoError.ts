import type { CocoError } from 'pycocotools-js';
import { FinetuneError, type Problem } from '../errors.js';

/** A handful says it as well as a screenful. */
const MOST_PROBLEMS = 20;

/** pycocotools-js has errors of its own kind; the command line prints ours. `file`, where the error does not know it. */
export function fromCocoError(error: CocoError, file?: string): FinetuneError {
  const problems = error.problems.slice(0, MOST_PROBLEMS).map(({ code, message, where, fix }): Problem => {
    const place = where?.file ?? file;
    const path = where?.path ? `${where.path}: ` : '';
    const offset = where?.line === undefined && where?.offset !== undefined ? ` (byte ${where.offset})` : '';
    return {
      code,
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
