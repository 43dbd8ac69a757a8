import { randomStream } from '../random.js';
import { sizeOf } from './shapes.js';
import type { Param } from './params.js';
import type { Init, Ops, ParamKind, Shape } from './spec.js';

/** Counts the inputs and outputs of one unit, by the layout of the parameter. */
function fans(kind: ParamKind, shape: Shape): { readonly in: number; readonly out: number } {
  if (kind === 'conv') return { in: shape[0]! * shape[1]! * shape[2]!, out: shape[0]! * shape[1]! * shape[3]! };
  if (kind === 'depthwise') return { in: shape[0]! * shape[1]!, out: shape[0]! * shape[1]! };
  if (kind === 'linear') return { in: shape[0]!, out: shape[1]! };
  return { in: shape[0]!, out: shape[0]! };
}

function deviation(init: Exclude<Init, { type: 'constant' }>, kind: ParamKind, shape: Shape): number {
  return init.type === 'normal' ? init.std : Math.sqrt(2 / fans(kind, shape)[init.fan]);
}

/** Draws the initial values of one parameter. They depend on the seed and the name alone, not on the order of the
 *  graph. */
export function initialValues({ name, kind, shape, init }: Ops['param'], seed: number): Param {
  const data = new Float32Array(sizeOf(shape));
  if (init.type === 'constant') return { shape, data: data.fill(init.value) };
  const random = randomStream(seed, `init/${name}`);
  const std = deviation(init, kind, shape);
  return { shape, data: data.map(() => std * random.normal()) };
}
