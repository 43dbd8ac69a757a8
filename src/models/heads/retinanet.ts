import { conv, type Context } from '../../graph/blocks.js';
import { concat, relu, reshape } from '../../graph/builder.js';
import type { Init, Value } from '../../graph/spec.js';
import type { PyramidLevel } from '../necks/pyramid.js';
import type { DetectorOutputs } from './multiBox.js';

export interface RetinaNetHeadOptions {
  readonly numClasses: number;
  /** Anchors per cell. */
  readonly anchors: number;
  /** Initial bias of the class predictor. */
  readonly classBias: number;
}

/** Convolutions before each predictor. */
const DEPTH = 4;
const NORMAL: Init = { type: 'normal', std: 0.01 };
/** The published deviation lets half of the signal through a layer of 256 channels, and almost nothing through four narrow ones. */
const hiddenInit = (channels: number): Init => (channels >= 256 ? NORMAL : { type: 'kaiming', fan: 'in' });

/** RetinaNet's subnets, one for classes and one for boxes, each the same on all levels. Lin et al. 2017 (arXiv:1708.02002), section 4.
 *  Parameters `head.class.conv.<i>`, `head.class.predict`, `head.box.conv.<i>`, `head.box.predict`. */
export function retinaNetHead(
  levels: readonly PyramidLevel[],
  at: Context,
  { numClasses, anchors, classBias }: RetinaNetHeadOptions,
): DetectorOutputs {
  const predict = (kind: 'box' | 'class', width: number, biasInit: number): Value => {
    const parts = levels.map(({ map }) => {
      let x = map;
      for (let i = 0; i < DEPTH; i++) {
        const options = { channels: map.shape[3]!, kernel: 3, bias: true, init: hiddenInit(map.shape[3]!) };
        x = relu(conv(x, `head.${kind}.conv.${i}`, at, options));
      }
      const options = { channels: anchors * width, kernel: 3, bias: true, init: NORMAL, biasInit };
      const y = conv(x, `head.${kind}.predict`, at, options);
      const [n, h, w] = y.shape as [number, number, number];
      return reshape(y, [n, h * w * anchors, width]);
    });
    return concat(parts, 1);
  };
  return { boxes: predict('box', 4, 0), logits: predict('class', numClasses, classBias) };
}
