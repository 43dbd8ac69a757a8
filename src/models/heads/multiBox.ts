import { activate, batchNorm, conv, depthwise, type Context } from '../../graph/blocks.js';
import { concat, reshape } from '../../graph/builder.js';
import type { Init, Value } from '../../graph/spec.js';

export interface PredictedLevel {
  /** Of its predictors: `head.box.<name>`, `head.class.<name>`. */
  readonly name: string;
  readonly map: Value;
  /** Per cell; a level without any has no predictors. */
  readonly anchors: number;
}

export interface MultiBoxHeadOptions {
  /** Columns of the class predictor: the classes, and with softmax one more, the first, for background. */
  readonly columns: number;
  /** Initial bias of the class predictor. */
  readonly classBias: number;
}

/** Adds a layer under `path` that gives so many channels. */
type Predictor = (x: Value, path: string, at: Context, channels: number, biasInit: number) => Value;

/** Per anchor, level after level, row after row, cell after cell. */
export interface DetectorOutputs {
  /** [N, A, 4]: offsets (x, y, width, height) from the anchor. */
  readonly boxes: Value;
  /** [N, A, columns]. */
  readonly logits: Value;
}

/** A pair of predictors for each level. */
const multiBoxHead =
  (predictor: Predictor) =>
  (levels: readonly PredictedLevel[], at: Context, { columns, classBias }: MultiBoxHeadOptions): DetectorOutputs => {
    const predict = (kind: 'box' | 'class', width: number, biasInit: number): Value => {
      const parts = levels.flatMap(({ name, map, anchors }) => {
        if (anchors === 0) return [];
        const y = predictor(map, `head.${kind}.${name}`, at, anchors * width, biasInit);
        const [n, h, w] = y.shape as [number, number, number];
        return [reshape(y, [n, h * w * anchors, width])];
      });
      return concat(parts, 1);
    };
    return { boxes: predict('box', 4, 0), logits: predict('class', columns, classBias) };
  };

const SSD_LITE: Init = { type: 'normal', std: 0.03 };

/** SSD-lite's predictors: depthwise 3×3, BatchNorm, ReLU6, 1×1. Sandler et al. 2018 (arXiv:1801.04381), section 6.2. */
export const ssdLiteHead = multiBoxHead((x, path, at, channels, biasInit) => {
  const hidden = activate(batchNorm(depthwise(x, `${path}.conv_dw`, at), `${path}.bn`, at), 'relu6');
  return conv(hidden, `${path}.predict`, at, { channels, bias: true, init: SSD_LITE, biasInit });
});

const SSD: Init = { type: 'normal', std: 0.01 };

/** SSD's predictors: a convolution of 3×3. Liu et al. 2016 (arXiv:1512.02325), section 2.1. */
export const ssdHead = multiBoxHead((x, path, at, channels, biasInit) =>
  conv(x, `${path}.predict`, at, { channels, kernel: 3, bias: true, init: SSD, biasInit }),
);
