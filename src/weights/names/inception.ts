import { CENTRED } from '../conventions.js';
import { renaming } from './nameMap.js';

/** https://github.com/pytorch/vision/blob/main/torchvision/models/inception.py. Its published weights take pixels from
 *  −1 to 1 (`transform_input`). The auxiliary classifier serves training alone and is set aside. */
export const torchvisionInception = renaming({
  origin: "torchvision's inception_v3",
  models: /^inception_v3$/,
  conventions: { ...CENTRED, padding: 'symmetric', epsilon: 1e-3 },
  recognises: (raw) => raw.has('Mixed_5b.branch1x1.conv.weight') && raw.has('AuxLogits.fc.weight'),
  rename: (name) => (name.startsWith('AuxLogits.') ? undefined : name),
});
