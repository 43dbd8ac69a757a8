import { didYouMean } from '../../didYouMean.js';
import { FinetuneError } from '../../errors.js';
import type { DetectorHead, HeadOptions } from './defineDetector.js';
import { fasterRcnn } from './detectors/fasterRcnn/fasterRcnn.js';
import { fcos } from './detectors/fcos/fcos.js';
import { nmsFree } from './detectors/nmsFree/nmsFree.js';
import { retinanet } from './detectors/retinanet/retinanet.js';
import { ssd } from './detectors/ssd/ssd.js';
import { ssdlite } from './detectors/ssdlite/ssdlite.js';
import { yolov1 } from './detectors/yolov1/yolov1.js';

/** Every head; the first is the default of `model.head`. To add a head, add its folder to detectors/ and its name here. */
export const detectors = [ssdlite, ssd, yolov1, retinanet, fasterRcnn, fcos, nmsFree] as const;

export type Heads = typeof detectors;
export type HeadName = Heads[number]['name'];

type OptionsOf<Head> =
  Head extends DetectorHead<infer Name, infer Schema> ? HeadOptions<Schema> & { readonly head: Name } : never;

/** What a detector is made from; `head` tells the kinds apart. */
export type DetectionOptions = OptionsOf<Heads[number]>;

/** The head of this name. Throws E_MODEL_UNKNOWN with the nearest name. */
export function headOf(name: string): DetectorHead {
  const found = detectors.find((head) => head.name === name);
  if (found) return found;
  const names = detectors.map((head) => head.name);
  const fix = didYouMean(name, names) ?? `choose one of ${names.join(', ')}`;
  throw new FinetuneError({ code: 'E_MODEL_UNKNOWN', message: `there is no detector head "${name}"`, fix });
}

/** Stride of a backbone's last feature map. */
const LAST_STRIDE = 32;

/** Number that the sides of a detector's input should be multiples of, in pixels. */
export const sizeMultipleOf = (model: { readonly head: string }): number =>
  headOf(model.head).sizeMultiple?.(model) ?? LAST_STRIDE;

/** The names of the heads that `isWanted` picks, as words: "ssdlite, ssd or retinanet". */
export function headsThat(isWanted: (head: DetectorHead) => boolean): string {
  const names = detectors.filter(isWanted).map(({ name }) => name);
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} or ${names.at(-1)!}`;
}
