import { PYTORCH } from '../conventions.js';
import { renaming } from './nameMap.js';

/** timm's two hidden layers are convolutions, so that an image may have any size. They have the same values as 7×7 and
 *  1×1 kernels. */
const CLASSIFIER: Readonly<Record<string, string>> = {
  'classifier.0': 'pre_logits.fc1',
  'classifier.3': 'pre_logits.fc2',
  'classifier.6': 'head.fc',
};

/** https://github.com/pytorch/vision/blob/main/torchvision/models/vgg.py, with and without BatchNorm. */
export const torchvisionVgg = renaming({
  origin: "torchvision's vgg",
  models: /^vgg(?!16_caffe)/,
  conventions: PYTORCH,
  recognises: (raw) => raw.has('features.0.weight') && raw.has('classifier.6.weight') && raw.has('classifier.3.weight'),
  rename: (name) => name.replace(/^classifier\.\d/, (layer) => CLASSIFIER[layer] ?? layer),
  reshape: (name, shape) => {
    if (name === 'pre_logits.fc1.weight') return [shape[0]!, shape[1]! / 49, 7, 7];
    return name === 'pre_logits.fc2.weight' ? [...shape, 1, 1] : shape;
  },
});
