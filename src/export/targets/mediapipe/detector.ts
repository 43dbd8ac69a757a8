import type { Metadata } from '../../../tflite/metadata.js';
import type { TfliteModel } from '../../../tflite/model.js';
import type { Net } from '../../format.js';
import type { Checkpoint } from '../../source.js';
import { adaptPostProcessed } from '../postProcess/postProcess.js';
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
export const adaptDetector = (checkpoint: Checkpoint, net: Net, complete: Complete): Adapted =>
  adaptPostProcessed(checkpoint, net, {
    write: complete(metadata),
    input: 'float32',
    feed: (pixels) => ({ image: pixels }),
  });
