import type { Where } from '../../errors.js';
import type { Findings } from '../findings.js';
import { isSameSize, sizeProblem } from './checkSize.js';
import type { Extent } from './frame.js';
import type { ImageHeader } from './image.js';
import { repairSize, type Bbox } from './repairSize.js';

interface Boxed {
  readonly bbox: Bbox;
  readonly area: number;
}

/** An image whose labels state a size, and what its header says. */
export interface Stated<O extends Boxed> {
  /** Undefined if the labels state none. */
  readonly said: Extent | undefined;
  readonly header: ImageHeader;
  readonly objects: readonly O[];
  /** The place of the size, or the file of labels. */
  readonly where: Where;
  /** The image in the words of a message. */
  readonly name: string;
}

/** The size of an image and its objects, if its labels are about an image of this size. Otherwise that is a problem, or
 *  with `brokenImages: 'drop'` counted; findings that mend correct what is certain. */
export function settleSize<O extends Boxed>(
  { said, header, objects, where, name }: Stated<O>,
  brokenImages: 'error' | 'drop',
  findings: Findings,
): { readonly extent: Extent; readonly objects: readonly O[] } | undefined {
  const extent = { width: header.width, height: header.height };
  if (!said || isSameSize(said, header)) return { extent, objects };
  const problem = sizeProblem(said, header, where, name);
  const boxes = objects.map(({ bbox }) => bbox);
  const repair = findings.mends ? repairSize(said, header, boxes) : undefined;
  if (!repair) {
    findings.report(brokenImages, 'image has another size than its annotation says', () => problem);
    return undefined;
  }
  findings.count('size of the image corrected', () => ({ message: `${problem.message}: ${repair.why}`, where }));
  const { move } = repair;
  if (!move) return { extent, objects };
  const moved = objects.map((object) => {
    const [bbox, before] = [move(object.bbox), object.bbox];
    const growth = (bbox[2] * bbox[3]) / (before[2] * before[3]);
    return { ...object, bbox, area: object.area * growth };
  });
  return { extent, objects: moved };
}
