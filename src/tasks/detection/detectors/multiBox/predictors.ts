import { activate, batchNorm, conv, depthwise, type Context } from '../../../../graph/blocks.js';
import { concat, reshape } from '../../../../graph/builder.js';
import type { Init, Value } from '../../../../graph/spec.js';
import type { AnchorPredictions } from '../../detector.js';

export interface PredictedLevel {
  /** Its predictors are called `head.box.<name>` and `head.class.<name>`. */
  readonly name: string;
  readonly map: Value;
  /** Anchors of each cell; a level without any has no predictors. */
  readonly anchors: number;
}

export interface PredictorOptions {
  /** Columns of the class predictor: the classes, and with softmax the background before them. */
  readonly columns: number;
  /** Initial bias of the class predictor. */
  readonly classBias: number;
}

/** Adds the layers of one predictor under `path`. */
type Predictor = (x: Value, path: string, at: Context, channels: number, biasInit: number) => Value;

/** A predictor of boxes and one of classes for each level. */
const predictors =
  (predictor: Predictor) =>
  (levels: readonly PredictedLevel[], at: Context, { columns, classBias }: PredictorOptions): AnchorPredictions => {
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
export const ssdLitePredictors = predictors((x, path, at, channels, biasInit) => {
  const hidden = activate(batchNorm(depthwise(x, `${path}.conv_dw`, at), `${path}.bn`, at), 'relu6');
  return conv(hidden, `${path}.predict`, at, { channels, bias: true, init: SSD_LITE, biasInit });
});

const SSD: Init = { type: 'normal', std: 0.01 };

/** SSD's predictors: a 3×3 convolution. Liu et al. 2016 (arXiv:1512.02325), section 2.1. */
export const ssdPredictors = predictors((x, path, at, channels, biasInit) =>
  conv(x, `${path}.predict`, at, { channels, kernel: 3, bias: true, init: SSD, biasInit }),
);
