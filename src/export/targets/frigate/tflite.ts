import { withByteInput } from '../../../tflite/byteInput.js';
import { encodeTflite } from '../../../tflite/encode.js';
import { withPostProcess } from '../../../tflite/postProcess.js';
import { scoreBoxes } from '../evaluators.js';
import { detectorOf } from '../detector.js';
import { finishedTflite } from '../postProcess/format.js';
import {
  decodePostProcessed,
  describeChoice,
  encoded,
  finishOf,
  MEANINGS,
  settingsOf,
} from '../postProcess/postProcess.js';
import type { Checkpoint } from '../../source.js';
import type { Net } from '../../format.js';
import type { Adapted } from '../target.js';

/** For Frigate's detectors `cpu` and `edgetpu`: an input of bytes [1,height,width,3], and the four outputs of
 *  TFLite_Detection_PostProcess, by their order. */
export function adaptTflite(checkpoint: Checkpoint, net: Net): Adapted {
  const settings = settingsOf(checkpoint);
  const description = detectorOf(checkpoint);
  const finish = finishOf(settings);
  return {
    net: encoded(checkpoint, net),
    format: finishedTflite({
      of: [settings.boxes, settings.scores],
      finish: (model) => encodeTflite(withByteInput(withPostProcess(model, settings))),
      returns: finish.outputs,
      input: 'uint8',
    }),
    feed: (pixels) => ({ image: pixels.map((value) => Math.max(0, Math.min(255, Math.round(value)))) }),
    finish,
    evaluator: scoreBoxes((results) => decodePostProcessed(results, description.size), description),
    card: {
      input: { type: 'uint8' },
      outputs: MEANINGS,
      decode: describeChoice(settings),
      note: `frigate reports the 20 best objects with a score of 0.4 or more; set model.width: ${description.size[1]}, model.height: ${description.size[0]}, model.input_pixel_format: rgb`,
    },
  };
}
