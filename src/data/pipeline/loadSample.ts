import { xyxy } from '../../geometry/box.js';
import { byKind, ofKind, type Annotation, type Sample, type WholeImageAnnotation } from '../sample.js';
import { planWholeImage } from './augment/augmentWhole.js';
import { loadBoxSample } from './boxSample.js';
import { readPicture, type SampleOptions } from './readPicture.js';
import { loadTextSample } from './textSample.js';

/** Read one image at the input's size, with what is annotated on it. Throws E_IMAGE_MISSING, E_IMAGE_DECODE, or
 *  E_IMAGE_SIZE if the annotation and the image disagree about the size. */
export const loadSample = (annotation: Annotation, options: SampleOptions): Promise<Sample> =>
  byKind<Annotation, Promise<Sample>>(annotation, {
    boxes: (boxes) => loadBoxSample(boxes, options),
    text: (text) => loadTextSample(text, options),
    wholeImage: (image) => loadWholeImage(image, options),
  });

async function loadWholeImage(annotation: WholeImageAnnotation, options: SampleOptions): Promise<Sample> {
  const { augment = false, random } = options;
  const plan = augment && random ? planWholeImage(annotation, ofKind(augment, 'wholeImage'), random) : undefined;
  const { common } = await readPicture(annotation, plan, options);
  return { kind: 'wholeImage', ...common, boxes: xyxy([]), classes: [], ignore: [], label: annotation.label };
}
