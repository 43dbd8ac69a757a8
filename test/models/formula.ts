import type { Param, Params } from '../../src/graph/params.js';
import { sizeOf } from '../../src/graph/shapes.js';
import type { ParamAttrs, Shape } from '../../src/graph/spec.js';
import { fromTorch, torchShape } from '../../src/weights/layout.js';

/** Kept in a constant because looking up a global is slow inside jest. */
const { imul } = Math;

/** offset + scale · `count` numbers in [−1, 1): FNV-1a of the name, then murmur3's finalizer over a Weyl sequence.
 *  test/fixtures/backbones/make.py has the same. */
export function uniform(name: string, count: number, scale = 1, offset = 0): Float32Array {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = imul(seed ^ byte, 0x01000193);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = imul(i, 0x9e3779b1) + seed;
    x = imul(x ^ (x >>> 16), 0x85ebca6b);
    x = imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    values[i] = offset + scale * ((x >>> 8) / 2 ** 23 - 1);
  }
  return values;
}

/** Values of one parameter by its published name, in PyTorch's layout. */
export function values(name: string, shape: Shape, isNorm: boolean): Float32Array {
  const [size, fan] = [sizeOf(shape), sizeOf(shape.slice(1))];
  if (shape.length > 1) return uniform(name, size, Math.sqrt(6 / fan));
  if (name.endsWith('running_var')) return uniform(name, size, 0.5, 1);
  if (name.endsWith('bn3.weight')) return uniform(name, size, 0.05, 0.15);
  if (name.endsWith('weight')) return uniform(name, size, 0.2, 0.8);
  return uniform(name, size, isNorm ? 0.2 : 0.1);
}

export const publishedName = (name: string): string => name.replace(/^backbone\./, '');

/** The formula's values for all parameters, in our layout. */
export function formulaParams(parameters: ReadonlyMap<string, ParamAttrs & { readonly shape: Shape }>): Params {
  return new Map(
    [...parameters].map(([name, { kind, shape }]): [string, Param] => {
      const isNorm = parameters.has(name.replace(/[^.]*$/, 'running_mean'));
      const file = torchShape(kind, shape);
      return [name, fromTorch(kind, { shape: file, data: values(publishedName(name), file, isNorm) })];
    }),
  );
}
