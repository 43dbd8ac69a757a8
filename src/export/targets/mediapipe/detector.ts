import type { Metadata } from '../../../tflite/metadata.js';
import type { TfliteModel } from '../../../tflite/model.js';
import { withPostProcess } from '../../../tflite/postProcess.js';
import type { Net } from '../../format.js';
import type { Checkpoint } from '../../source.js';
import { detectorOf } from '../detector.js';
import { scoreBoxes } from '../evaluators.js';
import { finishedTflite } from '../postProcess/format.js';
import {
  decodePostProcessed,
  describeChoice,
  encoded,
  finishOf,
  MEANINGS,
  settingsOf,
} from '../postProcess/postProcess.js';
import type { Adapted } from '../target.js';
import { LABELS } from './labels.js';

export type Complete = (metadata: Pick<Metadata, 'outputs' | 'group'>) => (model: TfliteModel) => Uint8Array;

/** Names by which MediaPipe's ObjectDetector knows the outputs. */
const metadata: Parameters<Complete>[0] = {
  outputs: [
    { name: 'location', description: 'Top, left, bottom and right of the boxes.', content: 'boxes' },
    {
      name: 'category',
      description: 'The classes.',
      content: 'features',
      labels: { file: LABELS, of: 'values' },
    },
    { name: 'score', description: 'The scores.', content: 'features', range: [0, 1] },
    { name: 'number of detections', description: 'The number of boxes.', content: 'features' },
  ],
  group: ['location', 'category', 'score'],
};

/** For ObjectDetector: the four outputs of TFLite_Detection_PostProcess. */
export function adaptDetector(checkpoint: Checkpoint, net: Net, complete: Complete): Adapted {
  const settings = settingsOf(checkpoint);
  const description = detectorOf(checkpoint);
  const finish = finishOf(settings);
  const write = complete(metadata);
  return {
    net: encoded(checkpoint, net),
    format: finishedTflite({
      of: [settings.boxes, settings.scores],
      finish: (model) => write(withPostProcess(model, settings)),
      returns: finish.outputs,
      input: 'float32',
    }),
    feed: (pixels) => ({ image: pixels }),
    finish,
    evaluator: scoreBoxes((results) => decodePostProcessed(results, description.size), description),
    card: { outputs: MEANINGS, decode: describeChoice(settings) },
  };
}
