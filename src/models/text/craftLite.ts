import { conv, normActivate, type Context } from '../../graph/blocks.js';
import { concat, resize } from '../../graph/builder.js';
import type { Init, Value } from '../../graph/spec.js';
import type { Taps } from '../backbone.js';

/** Channels of the decoder at stride 32, and of its blocks at 16, 8, 4 and 2. */
const CHANNELS = { top: 128, blocks: [96, 64, 32, 24] } as const;
/** Small, so that all maps begin near their bias. */
const SCORES: Init = { type: 'normal', std: 0.01 };

/** A slim version of CRAFT's decoder, on any backbone: the same four up-blocks (1×1, 3×3, bilinear in between) with
 *  fewer channels, and a classifier of a 3×3 and a 1×1 convolution instead of five convolutions. The idea is that of
 *  the talk's CRAFT-lite (REFERENCE §3); its exact widths are not published. Parameters `neck.top`, `neck.up1…4`,
 *  `head.hidden`, `head.scores`. → [N, ⌈H/2⌉, ⌈W/2⌉, 2]. */
export function craftLite({ c1, c2, c3, c4, c5 }: Taps, at: Context): Value {
  const block = (x: Value, path: string, channels: number, kernel: number): Value =>
    normActivate(conv(x, `${path}.conv`, at, { channels, kernel }), `${path}.bn`, at, 'relu');
  let y = block(c5, 'neck.top', CHANNELS.top, 1);
  for (const [i, tap] of [c4, c3, c2, c1].entries()) {
    const path = `neck.up${i + 1}`;
    const channels = CHANNELS.blocks[i]!;
    const narrow = block(y, `${path}.down`, channels, 1); // before enlarging, which takes a quarter of the work
    const [, height, width] = (tap ?? y).shape as [number, number, number];
    const finer = tap ? ([height, width] as const) : ([2 * height, 2 * width] as const); // for a stem with stride 4
    const enlarged = resize(narrow, finer, 'bilinear');
    const joined = tap ? concat([enlarged, tap], 3) : enlarged;
    y = block(block(joined, `${path}.mix`, channels, 1), `${path}.out`, channels, 3);
  }
  const hidden = block(y, 'head.hidden', CHANNELS.blocks[3], 3);
  return conv(hidden, 'head.scores', at, { channels: 2, bias: true, init: SCORES });
}
