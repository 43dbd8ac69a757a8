import type { Context } from '../../../../graph/blocks.js';
import * as b from '../../../../graph/builder.js';
import { sizeOf } from '../../../../graph/shapes.js';
import type { Init, ParamKind, Value } from '../../../../graph/spec.js';

export interface BoxHeadOptions {
  /** Units of the two hidden layers. */
  readonly units: number;
  /** The background and the classes. */
  readonly columns: number;
}

/** What the second stage says about R boxes. */
export interface BoxPredictions {
  /** [R,columns], the background's first. */
  readonly logits: Value;
  /** [R,4·columns], offset by offset. */
  readonly offsets: Value;
}

const HIDDEN: Init = { type: 'kaiming', fan: 'in' };
const CLASSES: Init = { type: 'normal', std: 0.01 };
const BOXES: Init = { type: 'normal', std: 0.001 };
const ZERO: Init = { type: 'constant', value: 0 };

/** Two hidden layers over the features of boxes [R,7,7,C], then a predictor of classes and one of boxes for every
 *  class. Lin et al. 2017 (arXiv:1612.03144), section 4.2. Parameters `head.box.fc6` (a 7 × 7 filter, so that its
 *  layout is that of a convolution), `.fc7`, `.class`, `.offsets`. */
export function boxHead(features: Value, { graph }: Context, { units, columns }: BoxHeadOptions): BoxPredictions {
  const [rows, ...window] = features.shape as [number, number, number, number];
  const layer = (
    x: Value,
    name: string,
    width: number,
    init: Init,
    kind: ParamKind,
    inputs: readonly number[],
  ): Value => {
    const path = `head.box.${name}`;
    const weight = b.param(graph, { name: `${path}.weight`, role: 'weight', kind, shape: [...inputs, width], init });
    const bias = b.param(graph, { name: `${path}.bias`, role: 'bias', kind: 'vector', shape: [width], init: ZERO });
    return b.biasAdd(b.matMul(x, b.reshape(weight, [sizeOf(inputs), width])), bias);
  };
  const flat = b.reshape(features, [rows, sizeOf(window)]);
  const fc6 = b.relu(layer(flat, 'fc6', units, HIDDEN, 'conv', window));
  const fc7 = b.relu(layer(fc6, 'fc7', units, HIDDEN, 'linear', [units]));
  return {
    logits: layer(fc7, 'class', columns, CLASSES, 'linear', [units]),
    offsets: layer(fc7, 'offsets', columns * 4, BOXES, 'linear', [units]),
  };
}
