import { FinetuneError } from '../../errors.js';
import { conv, type Context } from '../../graph/blocks.js';
import * as b from '../../graph/builder.js';
import type { Init, Value } from '../../graph/spec.js';
import { NO_PADDING, type PyramidLevel } from './pyramid.js';

/** The stride to which all levels are resized: the third of p2–p6 and the second of p3–p7, as published. */
const MEETING_STRIDE = 16;
const NORMAL: Init = { type: 'normal', std: 0.01 };
const ZERO: Init = { type: 'constant', value: 0 };

/** Softmax of each row of scores [Q,K]. */
function softmax(scores: Value): Value {
  const powers = b.exp(b.sub(scores, b.max(b.stopGradient(scores), [1], true)));
  return b.div(powers, b.sum(powers, [1], true));
}

/** A non-local block: adds to each cell a mean over all cells, weighted by the softmax of their similarity to it. This
 *  is the embedded Gaussian of Wang et al. 2018 (arXiv:1711.07971), section 3.3, without its scaling. Parameters
 *  `<path>.g`, `.theta`, `.phi`, `.conv_out`; the last begins with zeros. */
function nonLocal(x: Value, path: string, at: Context): Value {
  const [n, h, w, channels] = x.shape as [number, number, number, number];
  const embed = (name: string): Value => conv(x, `${path}.${name}`, at, { channels, bias: true, init: NORMAL });
  const [g, theta, phi] = ['g', 'theta', 'phi'].map(embed) as [Value, Value, Value];
  const gathered = Array.from({ length: n }, (_, i) => {
    const rows = (all: Value): Value => b.reshape(b.slice(all, [i, 0, 0, 0], [1, h, w, channels]), [h * w, channels]);
    const likeness = softmax(b.matMul(rows(theta), rows(phi), { transposeB: true })); // [h·w, h·w]
    return b.reshape(b.matMul(likeness, rows(g)), [1, h, w, channels]);
  });
  return b.add(x, conv(b.concat(gathered, 0), `${path}.conv_out`, at, { channels, bias: true, init: ZERO }));
}

/** x at another resolution: enlarged by repeating cells, or reduced to the maximum of each window. */
function resample(x: Value, [height, width]: readonly [number, number]): Value {
  const [rows, columns] = [x.shape[1]! / height, x.shape[2]! / width];
  if (rows <= 1) return b.resize(x, [height, width], 'nearest');
  return b.maxPool(x, { kernel: [rows, columns], stride: rows, padding: NO_PADDING });
}

/** Libra R-CNN's balanced feature pyramid: all levels are resized to one resolution, and their mean is refined and
 *  added to each level. Pang et al. 2019 (arXiv:1904.02701), section 3.2. Throws E_MODEL_SIZE where a level does not
 *  have half the cells of the one before it. */
export function balanced(levels: readonly PyramidLevel[], at: Context): readonly PyramidLevel[] {
  const meeting = levels.find(({ stride }) => stride === MEETING_STRIDE)!.map;
  const [, height, width] = meeting.shape as [number, number, number];
  const coarsest = levels.at(-1)!;
  const factor = coarsest.stride / MEETING_STRIDE;
  if (height !== coarsest.map.shape[1]! * factor || width !== coarsest.map.shape[2]! * factor) {
    throw new FinetuneError({
      code: 'E_MODEL_SIZE',
      option: 'data.size',
      message: `the balanced feature pyramid needs levels with half the rows and columns of the one before, as with sides in multiples of ${coarsest.stride}`,
      fix: 'set data.size to such a size, or model.neck: fpn',
    });
  }
  const met = levels.map(({ map }) => resample(map, [height, width]));
  const sum = met.reduce((all, map) => b.add(all, map));
  const mean = b.mul(sum, 1 / levels.length);
  const refined = nonLocal(mean, 'neck.balance', at);
  return levels.map(({ map, stride }) => {
    const own = resample(refined, [map.shape[1]!, map.shape[2]!]);
    return { map: b.add(map, own), stride };
  });
}
