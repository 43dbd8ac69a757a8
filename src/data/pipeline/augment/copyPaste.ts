import { xyxy } from '../../../geometry/box.js';
import type { RandomStream } from '../../../random.js';
import type { BoxSample, ClassIndex } from '../../sample.js';

/** Maximum number of objects that are pasted, and of tries to find a place for each. */
const MOST_OBJECTS = 3;
const TRIES = 10;
/** Pixels of the input; smaller objects are not pasted. */
const LEAST_SIDE = 4;
/** Share of the input; larger objects are not pasted, since they would hide the picture. */
const MOST_AREA = 0.25;
/** Maximum share of an object that pasted objects may hide. */
const MOST_HIDDEN = 0.3;

type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

/** Paste objects of another sample at places where they hide no object by more than 30 %. The pixels inside their boxes
 *  are copied, whole pixels only, so that the boxes still fit exactly. After Ghiasi et al. 2021 (arXiv:2012.07177), who
 *  paste along masks. */
export function pasteObjects(sample: BoxSample, donor: BoxSample, random: RandomStream): BoxSample {
  const { width, height } = sample.picture;
  const data = sample.picture.data.slice();
  const boxes: Corners[] = rowsOf(sample);
  const classes: ClassIndex[] = [...sample.classes];
  const hiddenBefore = boxes.map(() => 0); // the hidden shares of several pastes add up
  const candidates = rowsOf(donor).flatMap((box, i) => (donor.ignore[i] || !isFit(box, width, height) ? [] : [i]));
  for (const i of random.shuffle(candidates).slice(0, MOST_OBJECTS)) {
    const box = rowsOf(donor)[i]!;
    const from = [Math.floor(box[0]), Math.floor(box[1]), Math.ceil(box[2]), Math.ceil(box[3])] as const;
    for (let trial = 0; trial < TRIES; trial++) {
      const dx = random.integer(-from[0], width - from[2] + 1);
      const dy = random.integer(-from[1], height - from[3] + 1);
      const place: Corners = [from[0] + dx, from[1] + dy, from[2] + dx, from[3] + dy];
      const more = boxes.map((other) => hidden(other, place));
      if (more.some((share, k) => hiddenBefore[k]! + share > MOST_HIDDEN)) continue;
      more.forEach((share, k) => (hiddenBefore[k]! += share));
      hiddenBefore.push(0);
      for (let y = from[1]; y < from[3]; y++) {
        const row = donor.picture.data.subarray((y * width + from[0]) * 3, (y * width + from[2]) * 3);
        data.set(row, ((y + dy) * width + place[0]) * 3);
      }
      boxes.push([box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy]);
      classes.push(donor.classes[i]!);
      break;
    }
  }
  const ignore = [...sample.ignore, ...classes.slice(sample.classes.length).map(() => false)];
  return { ...sample, picture: { data, width, height }, boxes: xyxy(boxes.flat()), classes, ignore };
}

function isFit([x1, y1, x2, y2]: Corners, width: number, height: number): boolean {
  return Math.min(x2 - x1, y2 - y1) >= LEAST_SIDE && (x2 - x1) * (y2 - y1) <= MOST_AREA * width * height;
}

/** Share of a box that a rectangle lies on. */
function hidden([x1, y1, x2, y2]: Corners, place: Corners): number {
  const w = Math.min(x2, place[2]) - Math.max(x1, place[0]);
  const h = Math.min(y2, place[3]) - Math.max(y1, place[1]);
  return w > 0 && h > 0 ? (w * h) / ((x2 - x1) * (y2 - y1)) : 0;
}

const rowsOf = ({ boxes, classes }: BoxSample): Corners[] =>
  classes.map((_, i) => [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!]);
