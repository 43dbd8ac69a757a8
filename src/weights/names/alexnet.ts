import { PYTORCH } from '../conventions.js';
import { renaming } from './nameMap.js';

/** https://github.com/pytorch/vision/blob/main/torchvision/models/alexnet.py. Its two wide layers are convolutions
 *  here: the same values as 6×6 and 1×1 kernels. */
export const torchvisionAlexnet = renaming({
  origin: "torchvision's alexnet",
  models: /^alexnet$/,
  conventions: PYTORCH,
  recognises: (raw) =>
    ['features.10.weight', 'classifier.1.weight', 'classifier.4.weight'].every((name) => raw.has(name)),
  rename: (name) => name,
  reshape: (name, shape) => {
    if (name === 'classifier.1.weight') return [shape[0]!, shape[1]! / 36, 6, 6];
    return name === 'classifier.4.weight' ? [...shape, 1, 1] : shape;
  },
});
