import * as b from '../builder.js';
import { bare, isBare, realRuns, sameRuns, type Runs } from './runs.js';
import type { Graph, Node, Shape, Value } from '../spec.js';

/** A value of the padded graph and what its axes mean. */
export interface Padded {
  readonly value: Value;
  /** One per axis. */
  readonly runs: readonly Runs[];
  /** What stands where nothing is real, if that is known: 0 mostly, ½ behind a sigmoid. It is finite even where it is not known. */
  readonly fill: number | undefined;
}

/** What a rule works with: the old graph's values as they are in the new one. */
export interface Rewriting {
  readonly graph: Graph;
  readonly block: number;
  get(value: Value): Padded;
  /** The value in the given layout. A parameter that is met for the first time is laid out so for good. */
  as(value: Value, runs: readonly Runs[]): Padded;
  /** Layout of the parameter called `name`, which has this shape without padding. */
  layout(name: string, shape: Shape): readonly Runs[];
  /** Whether the value is a parameter whose layout is still open. */
  isOpen(value: Value): boolean;
  /** The values that are computed from this one. */
  readers(value: Value): readonly Node[];
}

export const isPlain = ({ runs }: Padded): boolean => runs.every(isBare);

/** The value without padding. */
export function stripped(from: Padded): Padded {
  let { value } = from;
  for (const [axis, runs] of from.runs.entries()) {
    if (isBare(runs)) continue;
    const parts = realRuns(runs).map(([begin, length]) => {
      const start = value.shape.map((_, i) => (i === axis ? begin : 0));
      return b.slice(value, start, value.shape.map((n, i) => (i === axis ? length : n))); // prettier-ignore
    });
    value = b.concat(parts, axis);
  }
  return { value, runs: value.shape.map(bare), fill: undefined };
}

/** Zeros put into a value without padding. */
function laidOut(plain: Value, wanted: readonly Runs[]): Padded {
  let value = plain;
  for (const [axis, runs] of wanted.entries()) {
    if (isBare(runs)) continue;
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
  return { value, runs: wanted, fill: 0 };
}

export const sameLayout = (a: readonly Runs[], c: readonly Runs[]): boolean =>
  a.length === c.length && a.every((runs, i) => sameRuns(runs, c[i]!));

export const converted = (from: Padded, runs: readonly Runs[]): Padded =>
  sameLayout(from.runs, runs) ? from : laidOut(stripped(from).value, runs);

/** The value with nothing but zeros where nothing is real. */
export const zeroed = (from: Padded): Padded =>
  isPlain(from) || from.fill === 0 ? from : laidOut(stripped(from).value, from.runs);
