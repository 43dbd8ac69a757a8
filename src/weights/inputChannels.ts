import type { Param } from '../graph/params.js';

/** Adapts the kernel [H, W, 3, O] of a first convolution to images with another number of channels. One channel gets
 *  the sum over red, green and blue, so that a grey image gives what it gave as RGB. More channels repeat red, green,
 *  blue, red, … and are scaled by 3 / channels, so that the response to equal channels stays the same. This is timm's
 *  rule: timm/models/_manipulate.py, `adapt_input_conv`. */
export function adaptInput({ shape, data }: Param, channels: number): Param {
  const [height, width, , outputs] = shape as [number, number, number, number];
  const adapted = new Float32Array(height * width * channels * outputs);
  const scale = channels === 1 ? 1 : 3 / channels;
  const sources = channels === 1 ? [0, 1, 2] : undefined;
  for (let place = 0; place < height * width; place++) {
    for (let channel = 0; channel < channels; channel++) {
      for (const source of sources ?? [channel % 3]) {
        for (let output = 0; output < outputs; output++) {
          adapted[(place * channels + channel) * outputs + output]! +=
            data[(place * 3 + source) * outputs + output]! * scale;
        }
      }
    }
  }
  return { shape: [height, width, channels, outputs], data: adapted };
}

/** Describes the adaptation in a sentence for the report. */
export const describeInput = (layer: string, channels: number): string =>
  channels === 1
    ? `${layer}: 3 input channels added up to 1`
    : `${layer}: 3 input channels repeated to ${channels}, scaled by 3/${channels}`;
