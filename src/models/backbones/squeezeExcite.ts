import { activate, batchNorm, conv, type Activation, type Context } from '../../graph/blocks.js';
import { globalAveragePool, mul } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';

export interface SqueezeExcite {
  /** Hidden channels. */
  readonly reduced: number;
  /** Names of the two layers: conv_reduce and conv_expand in EfficientNet's family. Default: fc1 and fc2. */
  readonly names?: readonly [string, string];
  /** Name of a BatchNorm after the first layer. Default: none. */
  readonly norm?: string;
  readonly activation?: Activation;
  readonly gate?: Activation;
}

/** Scales every channel by a gate that is computed from the means of all channels. Hu et al. 2018
 *  (arXiv:1709.01507). */
export function squeezeExcite(x: Value, path: string, at: Context, options: SqueezeExcite): Value {
  const { reduced, names = ['fc1', 'fc2'], norm, activation = 'relu', gate = 'sigmoid' } = options;
  const squeezed = conv(globalAveragePool(x), `${path}.${names[0]}`, at, { channels: reduced, bias: true });
  const hidden = activate(norm ? batchNorm(squeezed, `${path}.${norm}`, at) : squeezed, activation);
  const excited = conv(hidden, `${path}.${names[1]}`, at, { channels: x.shape[3]!, bias: true });
  return mul(x, activate(excited, gate));
}
