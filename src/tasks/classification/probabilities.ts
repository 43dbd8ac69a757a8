import type { ClassIndex } from '../../data/sample.js';

/** Probabilities of the classes for one image. */
export interface Classification {
  readonly imageId: string | number;
  /** [K]; they add up to 1. */
  readonly probabilities: Float32Array;
}

/** The probabilities of logits. */
export function softmax(logits: Float32Array): Float32Array {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** The `count` classes with the highest probabilities, best first; equal ones in the order of the classes. */
export function topClasses(probabilities: Float32Array, count: number): ClassIndex[] {
  const order = Array.from(probabilities.keys()).sort((i, j) => probabilities[j]! - probabilities[i]! || i - j);
  return order.slice(0, count) as ClassIndex[];
}
