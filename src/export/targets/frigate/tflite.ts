import { withByteInput } from '../../../tflite/byteInput.js';
import { encodeTflite } from '../../../tflite/encode.js';
import type { Net } from '../../format.js';
import type { Checkpoint } from '../../source.js';
import { detectorOf } from '../detector.js';
import { adaptPostProcessed } from '../postProcess/postProcess.js';
import type { Adapted } from '../target.js';

/** For Frigate's detectors `cpu` and `edgetpu`: an input of bytes [1,height,width,3], and the four outputs of
 *  TFLite_Detection_PostProcess, by their order. */
export function adaptTflite(checkpoint: Checkpoint, net: Net): Adapted {
  const [height, width] = detectorOf(checkpoint).size;
  return adaptPostProcessed(checkpoint, net, {
    write: (model) => encodeTflite(withByteInput(model)),
    input: 'uint8',
    feed: (pixels) => ({ image: pixels.map((value) => Math.max(0, Math.min(255, Math.round(value)))) }),
    card: {
      input: { type: 'uint8' },
      note: `frigate reports the 20 best objects with a score of 0.4 or more; set model.width: ${width}, model.height: ${height}, model.input_pixel_format: rgb`,
    },
  });
}
