import { conv, type Context } from '../../../../graph/blocks.js';
import { concat, relu, reshape } from '../../../../graph/builder.js';
import type { Init, Value } from '../../../../graph/spec.js';
import type { PyramidLevel } from '../../../../models/necks/pyramid.js';

const NORMAL: Init = { type: 'normal', std: 0.01 };

/** The region proposal network's predictors, the same on all levels. Ren et al. 2015 (arXiv:1506.01497), section 3.1.
 *  → objectness logits [N,A] and offsets [N,A,4], level after level, row after row, cell after cell.
 *  Parameters `head.rpn.conv`, `head.rpn.objectness`, `head.rpn.offsets`. */
export function rpnHead(
  levels: readonly PyramidLevel[],
  at: Context,
  { anchors }: { readonly anchors: number },
): { readonly objectness: Value; readonly offsets: Value } {
  const parts = levels.map(({ map }) => {
    const layer = (x: Value, name: string, channels: number, kernel: 1 | 3): Value =>
      conv(x, `head.rpn.${name}`, at, { channels, kernel, bias: true, init: NORMAL });
    const hidden = relu(layer(map, 'conv', map.shape[3]!, 3));
    const [n, h, w] = hidden.shape as [number, number, number];
    return {
      objectness: reshape(layer(hidden, 'objectness', anchors, 1), [n, h * w * anchors]),
      offsets: reshape(layer(hidden, 'offsets', anchors * 4, 1), [n, h * w * anchors, 4]),
    };
  });
  const ofAllLevels = (values: readonly Value[]): Value => concat(values, 1);
  return {
    objectness: ofAllLevels(parts.map(({ objectness }) => objectness)),
    offsets: ofAllLevels(parts.map(({ offsets }) => offsets)),
  };
}
