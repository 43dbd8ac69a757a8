import { FinetuneError } from '../errors.js';

type Size = readonly [height: number, width: number];

/** Multiples that are tried in search of a size that fits: the stride of a backbone's last map, and of a pyramid's. */
const STEPS = [32, 128];
const MOST_STEPS = 5;

const isRefusal = (error: unknown): error is FinetuneError =>
  error instanceof FinetuneError && ['E_GRAPH_SHAPE', 'E_MODEL_SIZE'].includes(error.code);

/** Returns what `create` makes for inputs of this size, in pixels. Throws E_MODEL_SIZE where they do not fit `what`;
 *  the error names a size that fits. */
export function atFittingSize<T>(size: Size, what: string, create: (size: Size) => T): T {
  try {
    return create(size);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const [problem] = error.problems;
    const message = `${what} does not fit an input of ${size[1]}x${size[0]}: ${problem!.message}`;
    const fitting = fittingSize(size, create);
    const fix = fitting ? `set data.size: [${fitting.join(', ')}]` : (problem!.fix ?? 'choose another backbone');
    throw new FinetuneError({ code: 'E_MODEL_SIZE', option: 'data.size', message, fix }, { cause: error });
  }
}

/** The first size that can be created, of some that are not smaller than the asked one. */
function fittingSize(asked: Size, create: (size: Size) => unknown): Size | undefined {
  for (const step of STEPS) {
    for (let more = 0; more < MOST_STEPS; more++) {
      const size = asked.map((side) => (Math.ceil(side / step) + more) * step) as [number, number];
      try {
        create(size);
        return size;
      } catch (error) {
        if (!(error instanceof FinetuneError)) throw error;
      }
    }
  }
  return undefined;
}
