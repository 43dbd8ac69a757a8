import type { TfliteModel } from '../../../tflite/model.js';
import { encodeTflite } from '../../../tflite/encode.js';
import { encodeMetadata, METADATA_BUFFER, withFiles, type Metadata } from '../../../tflite/metadata.js';
import type { ModelDescription } from '../../../tasks/description/description.js';
import type { Target } from '../target.js';
import { whyNotPostProcess } from '../postProcess/postProcess.js';
import { adaptClassifier } from './classifier.js';
import { adaptDetector } from './detector.js';
import { LABELS } from './labels.js';

/** A TFLite file with the metadata that MediaPipe's tasks read: ObjectDetector, and ImageClassifier. */
export const mediapipe: Target = {
  name: 'mediapipe',
  formats: ['tflite'],
  whyNot: (checkpoint) =>
    checkpoint.description.task === 'classification' ? undefined : whyNotPostProcess(checkpoint, 'mediapipe'),
  adapt(checkpoint, net) {
    const { description } = checkpoint;
    const complete = (metadata: Pick<Metadata, 'outputs' | 'group'>) => (model: TfliteModel) =>
      withFiles(
        encodeTflite({
          ...model,
          metadata: new Map([[METADATA_BUFFER, encodeMetadata({ ...describe(description), ...metadata })]]),
        }),
        { [LABELS]: description.categories.map(({ name }) => `${name.replace(/\s+/g, ' ')}\n`).join('') },
      );
    const adapted =
      description.task === 'classification'
        ? adaptClassifier(checkpoint, net, complete)
        : adaptDetector(checkpoint, net, complete);
    const note = noteOf(description);
    return { ...adapted, card: { ...adapted.card, ...(note !== undefined && { note }) } };
  },
};

const describe = ({ task, size }: ModelDescription): Pick<Metadata, 'name' | 'description' | 'input'> => ({
  name: task === 'detection' ? 'ObjectDetector' : 'ImageClassifier',
  description: `A model for ${task}, finetuned with tfjs-finetune.`,
  input: {
    name: 'image',
    description: `The image, [1, ${size.join(', ')}, 3], RGB in 0…255: the model normalises it.`,
    content: 'image',
    normalization: { mean: [0], std: [1] },
    range: [0, 255],
  },
});

function noteOf({ images: { resize } }: ModelDescription): string | undefined {
  if (resize === 'stretch') return undefined;
  return `mediapipe stretches photos to the input, and this model was trained with data.resize: ${resize}; give it photos that are prepared so, or train with data.resize: stretch`;
}
