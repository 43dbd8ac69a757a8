/** Resizes as libvips does, which reads the images in training (sharp with the kernels `linear` and `cubic`). Reducing: averages
 *  of whole blocks as long as two samples or more are left for each one of the result, then a kernel as wide as the rest of the
 *  reduction; rows first, then columns, and each step rounded to 8 bits. Enlarging: interpolation between neighbours, half a
 *  pixel too far right and down, as there (ENLARGING_SHIFT in data/image/frame.ts). Values differ from those of sharp by
 *  2 levels of 255 at most, and mostly by none. */

export type Method = 'bilinear' | 'bicubic';

/** Interleaved RGB, row after row. */
export interface Raster {
  readonly data: Uint8Array | Float32Array;
  readonly width: number;
  readonly height: number;
}

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

/** The samples along one axis that make one of the result; those beyond the image repeat its edge. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** Number of positions between two samples for which libvips has weights. */
const POSITIONS = 64;

/** Weights of the samples around a position; `width` stretches the kernel. */
function tapsAt(position: number, { support, at }: Kernel, width: number): Taps {
  const centre = Math.round(position * POSITIONS) / POSITIONS;
  const first = Math.ceil(centre - support * width);
  const last = Math.floor(centre + support * width);
  const raw = Array.from({ length: last - first + 1 }, (_, k) => at(Math.abs(first + k - centre) / width));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return { first, weights: raw.map((weight) => weight / sum) };
}

type Axis = 'rows' | 'columns';

/** Makes rows, or columns, of others. */
function resample(from: Raster, axis: Axis, taps: readonly Taps[], result: 'bytes' | 'floats'): Raster {
  const isRows = axis === 'rows';
  const [width, height] = isRows ? [from.width, taps.length] : [taps.length, from.height];
  const data = result === 'bytes' ? new Uint8Array(width * height * 3) : new Float32Array(width * height * 3);
  const length = isRows ? from.height : from.width; // of the axis
  const step = isRows ? from.width * 3 : 3;
  const lines = isRows ? from.width * 3 : from.height; // values of a row, or rows
  for (const [i, { first, weights }] of taps.entries()) {
    const places = weights.map((_, k) => Math.min(length - 1, Math.max(0, first + k)) * step);
    for (let line = 0; line < lines; line++) {
      const channels = isRows ? 1 : 3;
      const source = isRows ? line : line * from.width * 3;
      const target = isRows ? i * width * 3 + line : (line * width + i) * 3;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += from.data[places[k]! + source + channel]! * weights[k]!;
        data[target + channel] = result === 'bytes' ? Math.min(255, Math.max(0, Math.floor(sum + 0.5))) : sum;
      }
    }
  }
  return { data, width, height };
}

/** Reduces one axis to `goal` samples. */
function reduce(from: Raster, axis: Axis, goal: number, method: Method): Raster {
  const length = axis === 'rows' ? from.height : from.width;
  const factor = length / goal;
  if (factor <= 1) return from;
  const block = Math.max(1, Math.floor(factor / 2));
  const blocks = Array.from({ length: Math.ceil(length / block) }, (_, i): Taps => ({
    first: i * block,
    weights: Array<number>(block).fill(1 / block),
  }));
  const averaged = block === 1 ? from : resample(from, axis, blocks, 'bytes');
  const rest = factor / block;
  const taps = Array.from({ length: goal }, (_, i) => tapsAt((i + 0.5) * rest - 0.5, kernels[method], rest));
  return resample(averaged, axis, taps, 'bytes');
}

/** Resizes an image. */
export function resizeImage(from: Raster, width: number, height: number, method: Method): Raster {
  const reduced = reduce(reduce(from, 'rows', height, method), 'columns', width, method);
  if (width <= from.width && height <= from.height) return reduced;
  const between = (goal: number, length: number): Taps[] =>
    Array.from({ length: goal }, (_, i) => tapsAt((i * length) / goal - 0.5, kernels[method], 1));
  const rows = resample(reduced, 'rows', between(height, reduced.height), 'floats');
  return resample(rows, 'columns', between(width, reduced.width), 'bytes');
}
