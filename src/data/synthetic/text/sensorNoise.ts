import type { RandomStream } from '../../../random.js';
import type { Canvas } from './canvas.js';

const NOISE = 1 << 16;
let table: Float32Array | undefined;

/** Adds sensor noise from a table of normal values, which is read from a random place in every row. */
export function addNoise({ data, width, height }: Canvas, random: RandomStream): void {
  const strength = random.chance(0.5) ? 0 : random.uniform(1, 9);
  if (strength === 0) return;
  table ??= Float32Array.from({ length: NOISE }, (_, i) => normalAt(i));
  for (let y = 0; y < height; y++) {
    let from = random.integer(0, NOISE);
    for (let at = y * width * 3, end = at + width * 3; at < end; at++) {
      data[at] = data[at]! + table[from]! * strength;
      from = (from + 1) & (NOISE - 1);
    }
  }
}

/** A nearly normal value that depends on i alone: the sum of four uniform numbers from a hash of i. */
function normalAt(i: number): number {
  let sum = 0;
  for (let k = 0; k < 4; k++) {
    let hash = Math.imul(i * 4 + k + 1, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    sum += ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
  }
  return (sum - 2) * Math.sqrt(3);
}
