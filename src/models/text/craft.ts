import { activate, conv, maxPool, normActivate, type Context } from '../../graph/blocks.js';
import { concat, createGraph, input, resize } from '../../graph/builder.js';
import type { Init, Value } from '../../graph/spec.js';
import { normalise } from '../backbone.js';
import { vggLayers } from '../backbones/vgg.js';
import { findBackbone } from '../registry.js';
import type { Build } from '../detector.js';

export const CRAFT_BACKBONE = 'vgg16_bn';

/** torchvision's numbers of the convolutions whose outputs the decoder reads: conv2_2, conv3_2, conv4_2, conv5_2. */
const TAPS = [7 + 3, 14 + 3, 24 + 3, 34 + 3] as const;
const SCORES: Init = { type: 'kaiming', fan: 'in' };

/** CRAFT as published: Baek et al. 2019 (arXiv:1904.01941), fig. 2. Details that the paper leaves open follow the code
 *  of its authors (github.com/clovaai/CRAFT-pytorch): VGG16-BN up to conv5_2, whose BatchNorm is read without a ReLU; a
 *  3×3 pool with stride 1; fc6 with dilation 6 and fc7, both without an activation; four up-blocks; the classifier.
 *  Parameters: `backbone.features.*` as VGG16-BN, `neck.fc6`, `neck.fc7`, `neck.upconv1…4.conv.*`,
 *  `head.conv_cls.*`. */
export function craft({ batch, size, trainBatchNorm }: Build): { readonly image: Value; readonly maps: Value } {
  const backbone = findBackbone(CRAFT_BACKBONE);
  const graph = createGraph();
  const at: Context = { graph, style: backbone.style, trainBatchNorm };
  const image = input(graph, 'image', [batch, ...size, 3]);
  const sources: Value[] = [];
  vggLayers(normalise(image, backbone), at, { depth: 16, withNorm: true }, ({ index, linear, x }) => {
    const [, , , last] = TAPS;
    if (TAPS.some((tap) => tap === index)) sources.push(index === last ? linear : x);
    return index < last;
  });
  const [s2, s4, s8, s16] = sources as [Value, Value, Value, Value];
  const pooled = maxPool(s16, at, { kernel: 3, stride: 1 });
  const around = [
    [6, 6],
    [6, 6],
  ] as const;
  const fc6 = conv(pooled, 'neck.fc6', at, { channels: 1024, kernel: 3, dilation: 6, padding: around, bias: true });
  const fc7 = conv(fc6, 'neck.fc7', at, { channels: 1024, bias: true });

  let y = upBlock([fc7, s16], 'neck.upconv1', at, 512, 256);
  y = upBlock([enlarge(y, s8), s8], 'neck.upconv2', at, 256, 128);
  y = upBlock([enlarge(y, s4), s4], 'neck.upconv3', at, 128, 64);
  y = upBlock([enlarge(y, s2), s2], 'neck.upconv4', at, 64, 32);
  return { image, maps: classifier(y, at, [32, 32, 16, 16]) };
}

/** 1×1 to `middle` channels, 3×3 to `channels`, each with bias, BatchNorm and ReLU. */
function upBlock(parts: readonly Value[], path: string, at: Context, middle: number, channels: number): Value {
  const narrow = conv(concat(parts, 3), `${path}.conv.0`, at, { channels: middle, bias: true });
  const x = normActivate(narrow, `${path}.conv.1`, at, 'relu');
  return normActivate(conv(x, `${path}.conv.3`, at, { channels, kernel: 3, bias: true }), `${path}.conv.4`, at, 'relu');
}

const enlarge = (x: Value, like: Value): Value => resize(x, [like.shape[1]!, like.shape[2]!], 'bilinear');

/** Three 3×3 convolutions, a 1×1, and the two maps; parameters `head.conv_cls.0, 2, …` */
function classifier(x: Value, at: Context, widths: readonly number[]): Value {
  const hidden = widths.reduce((y, channels, i) => {
    const kernel = i < widths.length - 1 ? 3 : 1;
    return activate(conv(y, `head.conv_cls.${2 * i}`, at, { channels, kernel, bias: true, init: SCORES }), 'relu');
  }, x);
  return conv(hidden, `head.conv_cls.${2 * widths.length}`, at, { channels: 2, bias: true, init: SCORES });
}
