import { indexOf, POSITIONS, SCALE, SHIFT, type Method, type Raster } from './sampling.js';

/** Makes an image smaller along one axis, as libvips's `reducev` and `reduceh` do with a gap of 2: averages of whole blocks, as
 *  long as two samples or more are left for each one of the result, then a kernel as wide as the rest of the reduction. */

interface Kernel {
  /** Half its width, in samples. */
  readonly support: number;
  readonly at: (distance: number) => number;
}

const kernels: Readonly<Record<Method, Kernel>> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - x) },
  /** Catmull-Rom: Keys 1981 with a = −½. */
  bicubic: {
    support: 2,
    at: (x) => {
      if (x < 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
      return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
    },
  },
};

type Axis = 'rows' | 'columns';

/** libvips computes the positions of this many rows one after the other, by addition, where it reads a file; those of columns
 *  all. The sums are rounded, and decide between two weights where a position lies in the middle between them. */
const STRIP = 10;

/** Reduces one axis to `goal` samples. */
export function reduce(image: Raster, axis: Axis, goal: number, method: Method): Raster {
  const length = lengthOf(image, axis);
  if (goal >= length) return image;
  const whole = 1 / (1 / (length / goal)); // as often rounded as in libvips
  const block = Math.max(1, Math.floor(length / goal / 2));
  const factor = whole / block;
  const averaged = block === 1 ? image : average(image, axis, block);
  if (factor === 1) return averaged;
  const excess = (goal * whole - length) / block;
  const positions = positionsOf(goal, factor, excess, axis === 'rows' ? STRIP : goal);
  const { support, at } = kernels[method];
  const reach = roundToEven(support * factor);
  const masks = Array.from({ length: POSITIONS + 1 }, (_, i) => maskAt(i / POSITIONS, reach, factor, at));
  return resample(averaged, axis, goal, (i) => {
    const position = positions[i]!;
    return { first: Math.trunc(position) - reach, weights: masks[indexOf(position)]!, start: SCALE / 2, finish };
  });
}

const lengthOf = ({ width, height }: Raster, axis: Axis): number => (axis === 'rows' ? height : width);

/** Where the samples of the result lie, half a sample too far, so that none is negative. */
function positionsOf(goal: number, factor: number, excess: number, strip: number): Float64Array {
  const positions = new Float64Array(goal);
  const offset = (1 + excess) / 2 - 1;
  for (let i = 0; i < goal; i++)
    positions[i] = i % strip === 0 ? (i + 0.5) * factor - 0.5 - offset : positions[i - 1]! + factor;
  return positions;
}

/** Averages blocks of samples; the last block repeats the edge. */
function average(image: Raster, axis: Axis, block: number): Raster {
  const multiplier = Math.floor(2 ** 32 / (256 * block)); // divides by the length of a block
  const weights = new Int32Array(block).fill(1);
  return resample(image, axis, Math.ceil(lengthOf(image, axis) / block), (i) => ({
    first: i * block,
    weights,
    start: block >> 1,
    finish: (sum) => Math.floor((sum * multiplier) / 2 ** 24),
  }));
}

const finish = (sum: number): number => Math.min(255, Math.max(0, sum >> SHIFT));

/** Weights of the 2 · reach + 1 samples around a position; `factor` stretches the kernel. */
function maskAt(fraction: number, reach: number, factor: number, at: Kernel['at']): Int32Array {
  const centre = fraction + reach - 0.5;
  const raw = Array.from({ length: 2 * reach + 1 }, (_, i) => at(Math.abs((i - centre) / factor)));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return Int32Array.from(raw, (weight) => Math.trunc((weight / sum) * SCALE));
}

/** Rounds a half to the even neighbour, as C's rint does. */
function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** How one sample of the result is computed: finish(start + Σ weight · sample). */
interface Taps {
  /** The first sample that counts; those beyond the image repeat its edge. */
  readonly first: number;
  readonly weights: Int32Array;
  readonly start: number;
  readonly finish: (sum: number) => number;
}

function resample(image: Raster, axis: Axis, goal: number, tapsAt: (i: number) => Taps): Raster {
  const isRows = axis === 'rows';
  const [width, height] = isRows ? [image.width, goal] : [goal, image.height];
  const data = new Uint8Array(width * height * 3);
  const length = lengthOf(image, axis);
  const step = isRows ? image.width * 3 : 3; // from a sample to the next
  const lines = isRows ? image.width : image.height; // across the axis
  const [line, lineOfResult] = isRows ? [3, 3] : [image.width * 3, width * 3]; // from a line to the next
  for (let i = 0; i < goal; i++) {
    const { first, weights, start, finish } = tapsAt(i);
    const places = Array.from(weights, (_, k) => Math.min(length - 1, Math.max(0, first + k)) * step);
    const target = isRows ? i * width * 3 : i * 3;
    for (let l = 0; l < lines; l++)
      for (let channel = 0; channel < 3; channel++) {
        const from = l * line + channel;
        let sum = start;
        for (let k = 0; k < places.length; k++) sum += image.data[from + places[k]!]! * weights[k]!;
        data[target + l * lineOfResult + channel] = finish(sum);
      }
  }
  return { data, width, height };
}
