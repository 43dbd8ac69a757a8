import { toNumber } from '../textFile.js';

/** A line of a YOLO label file. */
export interface YoloObject {
  /** Number of the class, or its name where a line has that. */
  readonly label: string;
  /** x1, y1, x2, y2, … as shares of the image's width and height. */
  readonly points: readonly number[];
  readonly form: 'box' | 'outline';
  readonly hasConfidence: boolean;
  /** A value lay a hair outside of 0…1. */
  readonly isClipped: boolean;
  /** Its numbers have decimal commas. */
  readonly hasCommas: boolean;
}

/** What is wrong with a line: with its box, or with the line itself. */
export interface YoloFault {
  readonly fault: string;
  readonly isBox: boolean;
}

/** How far a value may lie outside of 0…1 before it is no rounding any more. */
const HAIR = 0.02;

/** A class and four or more numbers, of which one has a decimal comma and none a point. */
const WITH_COMMAS = /^\s*\w+(?=.*,)(?:\s+[+-]?\d*,?\d+){4,}\s*$/;

/** Reads a line: a class; then centre, width and height of a box (and a confidence), or the points of a polygon or of a
 *  rotated box (and a confidence), or a box and key points. */
export function readYoloLine(line: string, hasKeypoints: boolean): YoloObject | YoloFault {
  const hasCommas = WITH_COMMAS.test(line);
  const [label = '', ...fields] = (hasCommas ? line.replaceAll(',', '.') : line).trim().split(/[\s,;]+/);
  const values = fields.map(toNumber);
  const bad = values.findIndex((value) => value === undefined);
  if (bad >= 0) return { fault: `"${fields[bad]!.slice(0, 30)}" is not a number`, isBox: false };
  const numbers = values as number[];
  if (numbers.length < 4)
    return { fault: `expected a class and 4 numbers or more, found ${numbers.length} numbers`, isBox: false };
  const hasPoints = hasKeypoints || areKeypoints(numbers);
  const isPolygon = !hasPoints && numbers.length >= 6;
  const count = isPolygon ? numbers.length - (numbers.length % 2) : 4;
  const used = numbers.slice(0, count);
  const hasConfidence = !hasPoints && numbers.length === count + 1;
  const far = used.find((value) => value < -HAIR || value > 1 + HAIR);
  if (far !== undefined) {
    const pixels = ': the values must be shares of the image, between 0 and 1, and these look like pixels';
    return { fault: `${far} lies outside of 0 to 1${far > 2 ? pixels : ''}`, isBox: true };
  }
  const isClipped = used.some((value) => value < 0 || value > 1);
  if (isPolygon) return { label, points: used.map(clip), form: 'outline', hasConfidence, isClipped, hasCommas };
  const [cx, cy, w, h] = used.map(clip) as [number, number, number, number];
  const points = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2];
  return { label, points, form: 'box', hasConfidence, isClipped, hasCommas };
}

/** Whether numbers are a box and key points, of which the third value says 2 where the point is seen: no polygon reaches
 *  so far out of its image. */
const areKeypoints = (numbers: readonly number[]): boolean =>
  numbers.length > 4 &&
  numbers.length % 3 === 1 &&
  numbers.includes(2) &&
  numbers.every((value, i) => (i > 4 && i % 3 === 0 ? [0, 1, 2].includes(value) : value <= 1 + HAIR));

const clip = (value: number): number => Math.min(Math.max(value, 0), 1);
