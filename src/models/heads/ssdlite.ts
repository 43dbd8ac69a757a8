import { activate, batchNorm, conv, depthwise, type Context } from '../../graph/blocks.js';
import { concat, reshape } from '../../graph/builder.js';
import type { Init, Value } from '../../graph/spec.js';

export interface SsdLiteOptions {
  /** Columns of the class predictor: the classes, and with softmax one more, the first, for background. */
  readonly columns: number;
  /** Anchors per cell of each level. */
  readonly anchors: readonly number[];
  /** Initial bias of the class predictor. */
  readonly classBias: number;
}

/** Per anchor, level after level, row after row, cell after cell. */
export interface DetectorOutputs {
  /** [N, A, 4]: offsets (x, y, width, height) from the anchor. */
  readonly boxes: Value;
  /** [N, A, columns]. */
  readonly logits: Value;
}

const PREDICTOR: Init = { type: 'normal', std: 0.03 };

/** SSD-lite's predictors: depthwise 3×3, BatchNorm, ReLU6, 1×1, one pair for each level, under `head.box.<i>` and `head.class.<i>`. */
export function ssdLiteHead(
  levels: readonly Value[],
  at: Context,
  { columns, anchors, classBias }: SsdLiteOptions,
): DetectorOutputs {
  const predict = (kind: 'box' | 'class', width: number, biasInit: number): Value => {
    const parts = levels.map((x, i) => {
      const path = `head.${kind}.${i}`;
      const hidden = activate(batchNorm(depthwise(x, `${path}.conv_dw`, at), `${path}.bn`, at), 'relu6');
      const y = conv(hidden, `${path}.predict`, at, {
        channels: anchors[i]! * width,
        bias: true,
        init: PREDICTOR,
        biasInit,
      });
      const [n, h, w] = y.shape as [number, number, number];
      return reshape(y, [n, h * w * anchors[i]!, width]);
    });
    return concat(parts, 1);
  };
  return { boxes: predict('box', 4, 0), logits: predict('class', columns, classBias) };
}
