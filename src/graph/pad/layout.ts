import * as b from '../builder.js';
import { unpadded, isUnpadded, realRuns, sameRuns, type Runs } from './runs.js';
import type { Graph, Node, Shape, Value } from '../spec.js';

/** A value of the padded graph, and where its real elements are. */
export interface Padded {
  readonly value: Value;
  /** The layout of each axis. */
  readonly runs: readonly Runs[];
  /** The value of all padding elements: mostly 0, ½ after a sigmoid. Undefined where they differ or are unknown; they
   *  are finite even then. */
  readonly padValue: number | undefined;
}

/** A rewriting in progress: gives rules the values of the old graph as they are in the new one. */
export interface Rewriting {
  readonly graph: Graph;
  readonly block: number;
  get(value: Value): Padded;
  /** The value, converted to the given layout. A parameter without a layout gets this one for good. */
  as(value: Value, runs: readonly Runs[]): Padded;
  /** The layout of the parameter called `name`, which has this shape without padding. */
  layout(name: string, shape: Shape): readonly Runs[];
  /** Whether the value is a parameter that has no layout yet. */
  isUndecided(value: Value): boolean;
  /** The nodes that read this value. */
  readers(value: Value): readonly Node[];
}

/** Whether the value has no padding. */
export const isPlain = ({ runs }: Padded): boolean => runs.every(isUnpadded);

/** Removes the padding of a value. */
export function stripped(from: Padded): Padded {
  let { value } = from;
  for (const [axis, runs] of from.runs.entries()) {
    if (isUnpadded(runs)) continue;
    const parts = realRuns(runs).map(([begin, length]) => {
      const start = value.shape.map((_, i) => (i === axis ? begin : 0));
      return b.slice(value, start, value.shape.map((n, i) => (i === axis ? length : n))); // prettier-ignore
    });
    value = b.concat(parts, axis);
  }
  return { value, runs: value.shape.map(unpadded), padValue: undefined };
}

/** Inserts zeros into a value without padding. */
function laidOut(plain: Value, wanted: readonly Runs[]): Padded {
  let value = plain;
  for (const [axis, runs] of wanted.entries()) {
    if (isUnpadded(runs)) continue;
    let real = 0;
    const parts: Value[] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [n, zeros] = [runs[i]!, runs[i + 1]!];
      const begin = value.shape.map((_, j) => (j === axis ? real : 0));
      const part = b.slice(value, begin, value.shape.map((m, j) => (j === axis ? n : m))); // prettier-ignore
      parts.push(b.pad(n === value.shape[axis] ? value : part, value.shape.map((_, j) => [0, j === axis ? zeros : 0] as const))); // prettier-ignore
      real += n;
    }
    value = b.concat(parts, axis);
  }
  return { value, runs: wanted, padValue: 0 };
}

export const sameLayout = (a: readonly Runs[], c: readonly Runs[]): boolean =>
  a.length === c.length && a.every((runs, i) => sameRuns(runs, c[i]!));

/** Converts a value to another layout. */
export const converted = (from: Padded, runs: readonly Runs[]): Padded =>
  sameLayout(from.runs, runs) ? from : laidOut(stripped(from).value, runs);

/** Sets all padding elements of a value to zero. */
export const zeroed = (from: Padded): Padded =>
  isPlain(from) || from.padValue === 0 ? from : laidOut(stripped(from).value, from.runs);
