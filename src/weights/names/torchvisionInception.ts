import { CENTRED } from '../conventions.js';
import type { RawTensor } from '../decode/rawTensor.js';
import { renaming } from './nameMap.js';

/** The maps of torchvision's Inception networks, whose published weights take pixels from −1 to 1 (`transform_input`).
 *  Their auxiliary classifiers serve training alone and are set aside. */
const inception = (name: string, auxiliary: RegExp, recognises: (raw: ReadonlyMap<string, RawTensor>) => boolean) =>
  renaming({
    origin: `torchvision's ${name}`,
    models: new RegExp(`^${name}$`),
    conventions: { ...CENTRED, padding: 'symmetric', epsilon: 1e-3 },
    recognises,
    rename: (array) => (auxiliary.test(array) ? undefined : array),
  });

/** https://github.com/pytorch/vision/blob/main/torchvision/models/inception.py */
export const torchvisionInception = inception(
  'inception_v3',
  /^AuxLogits\./,
  (raw) => raw.has('Mixed_5b.branch1x1.conv.weight') && raw.has('AuxLogits.fc.weight'),
);

/** https://github.com/pytorch/vision/blob/main/torchvision/models/googlenet.py */
export const torchvisionGooglenet = inception('googlenet', /^aux[12]\./, (raw) =>
  raw.has('inception3a.branch1.conv.weight'),
);
