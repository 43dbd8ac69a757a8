import { FinetuneError } from '../errors.js';
import { torchvisionAlexnet } from './names/alexnet.js';
import { clovaCraft } from './names/craft.js';
import { efficientnetPytorch, kerasEfficientnet } from './names/efficientnet.js';
import { kerasMobilenetV1 } from './names/mobilenetV1.js';
import { kerasMobilenetV2, torchvisionMobilenetV2 } from './names/mobilenetV2.js';
import { renaming, type NamedWeights, type NameMap } from './names/nameMap.js';
import { ssdliteMobilenetV2 } from './names/ssdliteMobilenetV2.js';
import { torchvisionFasterRcnn, torchvisionFcos, torchvisionRetinanet } from './names/torchvisionFpn.js';
import { torchvisionGooglenet, torchvisionInception } from './names/torchvisionInception.js';
import { torchvisionEfficientnet } from './names/torchvisionEfficientnet.js';
import { torchvisionMnasnet } from './names/torchvisionMnasnet.js';
import { torchvisionMobilenetV3Large, torchvisionMobilenetV3Small } from './names/torchvisionMobilenetV3.js';
import { torchvisionSsd, torchvisionSsdLite } from './names/torchvisionSsd.js';
import { torchvisionVgg } from './names/vgg.js';
import type { RawWeights } from './decode/raw.js';

/** The first map that recognises a file gives its arrays our names. */
export const nameMaps: readonly NameMap[] = [
  clovaCraft,
  ssdliteMobilenetV2,
  torchvisionFcos,
  torchvisionRetinanet,
  torchvisionFasterRcnn,
  torchvisionSsdLite,
  torchvisionSsd,
  torchvisionMobilenetV2,
  torchvisionMobilenetV3Large,
  torchvisionMobilenetV3Small,
  torchvisionMnasnet,
  torchvisionEfficientnet,
  torchvisionInception,
  torchvisionGooglenet,
  torchvisionVgg,
  torchvisionAlexnet,
  efficientnetPytorch,
  kerasMobilenetV1,
  kerasMobilenetV2,
  kerasEfficientnet,
];

/** Our names are timm's, and torchvision has the same for every family that has no map above (resnet, densenet, …). */
const asTheyAre = renaming({
  origin: 'names as they are (timm, torchvision, ours)',
  models: /^/,
  conventions: {},
  recognises: () => true,
  rename: (name) => name,
});

/** Finds the name map for these arrays; returns undefined for a format with its own names that no map recognises. */
export const findNameMap = ({ layout, tensors }: RawWeights): NameMap | undefined =>
  nameMaps.find(({ recognises }) => recognises(tensors)) ?? (layout === 'torch' ? asTheyAre : undefined);

/** Gives the arrays our names. Throws E_WEIGHTS_NAMES. */
export function nameWeights(raw: RawWeights, file: string): NamedWeights {
  const map = findNameMap(raw);
  if (map) return map.apply(raw.tensors, file);
  const first = [...raw.tensors.keys()].slice(0, 3).join(', ');
  const message = `no name map fits this ${raw.format} (its first arrays: ${first})`;
  const fix = `known: ${nameMaps.map(({ origin }) => origin).join(', ')}`;
  throw new FinetuneError({ code: 'E_WEIGHTS_NAMES', message, fix, where: { file } });
}
