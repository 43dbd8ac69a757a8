import { FinetuneError, invariant } from '../errors.js';
import type { DetectorDescription } from '../tasks/description/description.js';
import { placeAnchors } from '../tasks/detection/anchors.js';
import type { DecodeOptions, Detector } from '../tasks/detection/detector.js';
import type { HeadName } from '../tasks/detection/detectors.js';
import { fasterRcnnDecoder } from '../tasks/detection/detectors/fasterRcnn/decode.js';
import { fcosDecoder } from '../tasks/detection/detectors/fcos/decode.js';
import { multiBoxDecoder } from '../tasks/detection/detectors/multiBox/decode.js';
import { nmsFreeDecoder } from '../tasks/detection/detectors/nmsFree/decode.js';
import { retinaNetDecoder } from '../tasks/detection/detectors/retinanet/decode.js';
import { yoloV1Decoder } from '../tasks/detection/detectors/yolov1/decode.js';
import { placePoints } from '../tasks/detection/points.js';
import type { CardDecoding } from './card.js';

type Make = (decoding: CardDecoding, options: DecodeOptions, description: DetectorDescription) => Detector['decode'];

const anchorsOf = ({ anchors }: CardDecoding) => placeAnchors(needed(anchors, 'decode.anchors').levels);

const multiBox: Make = (decoding, options, { background }) =>
  multiBoxDecoder(anchorsOf(decoding), { ...options, classLoss: background ? 'softmax' : 'sigmoid' });

/** The decoder of each head, made of what the card says. */
const decoders: Readonly<Record<HeadName, Make>> = {
  ssdlite: multiBox,
  ssd: multiBox,
  retinanet: (decoding, options) => {
    const { levels } = needed(decoding.anchors, 'decode.anchors');
    const lengths = levels.map(({ grid, shapes }) => grid.height * grid.width * shapes.length);
    return retinaNetDecoder(placeAnchors(levels), lengths, options);
  },
  fcos: ({ points }, options) =>
    fcosDecoder(placePoints(needed(points, 'decode.points').levels, options.size), options),
  nmsFree: (_, options) => nmsFreeDecoder(options),
  fasterRcnn: (_, options) => fasterRcnnDecoder(options),
  yolov1: ({ grid }, options, { head }) =>
    yoloV1Decoder(needed(grid, 'decode.grid'), { ...options, boxesPerCell: head.boxesPerCell as number }),
};

/** The decoder of the detector that a card describes. Throws E_MODEL_FOLDER for a head that this version does not know, and a
 *  card that lacks what the head needs. */
export function detectorDecoder(
  decoding: CardDecoding,
  description: DetectorDescription,
  scoreThreshold: number,
): Detector['decode'] {
  const { head, size, selection, categories } = description;
  const options = { ...selection, size, numClasses: categories.length, scoreThreshold };
  const make = (decoders as Readonly<Record<string, Make>>)[head.head];
  invariant(make, `no decoder for the head ${head.head}`);
  return make(decoding, options, description);
}

function needed<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value;
  throw new FinetuneError({
    code: 'E_MODEL_FOLDER',
    message: `the card has no ${name}, which its head needs`,
    fix: 'export the model again (finetune export)',
  });
}
