import { FinetuneError } from '../../errors.js';
import { conv, type Context } from '../../graph/blocks.js';
import * as b from '../../graph/builder.js';
import type { Init, Value } from '../../graph/spec.js';
import type { PyramidLevel } from './pyramid.js';

/** The stride at which all levels meet: the fourth of p2–p6 and the second of p3–p7, as published. */
const MEETING_STRIDE = 16;
const NORMAL: Init = { type: 'normal', std: 0.01 };
const ZERO: Init = { type: 'constant', value: 0 };

/** Scores [Q,K] → each row sums to 1. */
function softmax(scores: Value): Value {
  const powers = b.exp(b.sub(scores, b.max(b.stopGradient(scores), [1], true)));
  return b.div(powers, b.sum(powers, [1], true));
}

/** Every cell plus what it gathers from all cells, weighted by a softmax over their likeness: the embedded Gaussian of Wang et al. 2018
 *  (arXiv:1711.07971), section 3.3, without its scaling. Parameters `<path>.g`, `.theta`, `.phi`, `.conv_out`; the last begins with zeros. */
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

/** x at another resolution: enlarged to the nearest cell, or the largest of each window. */
function resample(x: Value, [height, width]: readonly [number, number]): Value {
  const [rows, columns] = [x.shape[1]! / height, x.shape[2]! / width];
  if (rows <= 1) return b.resize(x, [height, width], 'nearest');
  return b.maxPool(x, { kernel: [rows, columns], stride: rows, padding: [[0, 0], [0, 0]] }); // prettier-ignore
}

/** Libra R-CNN's balanced feature pyramid: all levels at one resolution, their mean refined and added back to each.
 *  Pang et al. 2019 (arXiv:1904.02701), section 3.2. Throws E_MODEL_SIZE where the levels do not divide. */
export function balanced(levels: readonly PyramidLevel[], at: Context): readonly PyramidLevel[] {
  const meeting = levels.find(({ stride }) => stride === MEETING_STRIDE)!.map;
  const [, height, width] = meeting.shape as [number, number, number];
  const coarsest = levels.at(-1)!;
  const factor = coarsest.stride / MEETING_STRIDE;
  if (height !== coarsest.map.shape[1]! * factor || width !== coarsest.map.shape[2]! * factor) {
    throw new FinetuneError({
      code: 'E_MODEL_SIZE',
      option: 'data.size',
      message: `the balanced feature pyramid wants levels that halve from one to the next, as with sides in multiples of ${coarsest.stride}`,
      fix: 'set data.size to such a size, or model.neck: fpn',
    });
  }
  const met = levels.map(({ map }) => resample(map, [height, width]));
  const mean = b.mul(met.slice(1).reduce((sum, map) => b.add(sum, map), met[0]!), 1 / levels.length); // prettier-ignore
  const refined = nonLocal(mean, 'neck.balance', at);
  return levels.map(({ map, stride }) => {
    const own = resample(refined, [map.shape[1]!, map.shape[2]!]);
    return { map: b.add(map, own), stride };
  });
}
