import * as b from '../builder.js';
import { isOp } from '../builder.js';
import { bare, fullLength, isBare, realLength, realRuns, type Runs } from './runs.js';
import { converted, stripped, type Padded, type Rewriting } from './layout.js';
import { padRule } from './rules.js';
import type { Param, Params } from '../params.js';
import { ancestors } from '../rewrite.js';
import { sizeOf } from '../shapes.js';
import type { Node, Shape, Value } from '../spec.js';
import { paramAttrs, slotOwner } from '../slots.js';

export interface Padding {
  /** The same values over a new graph in which channels are padded with zeros where it pays. Roots are without padding. */
  rewrite(roots: readonly Value[]): readonly Value[];
  /** Values of the model's parameters ↔ values of the padded graph's. */
  pad(params: Params): Params;
  strip(params: Params): Params;
}

/** An optimizer may keep less than a value per value: then the slot is not laid out as its parameter. */
const fits = (runs: readonly Runs[], shape: Shape): boolean =>
  runs.length === shape.length && runs.every((own, axis) => realLength(own) === shape[axis]);

/** Any op, on what is real. */
const plainly = (node: Node, at: Rewriting): readonly Padded[] => {
  const inputs = node.inputs.map((value) => stripped(at.get(value)).value);
  return b
    .addNode(at.graph, node.op, inputs, node.attrs)
    .map((value) => ({ value, runs: value.shape.map(bare), fill: undefined }));
};

/** Pads channels to a multiple of `block`, exactly preserving what the graph computes: whatever lies between real channels never reaches one.
 *  Every parameter's padding is zero and stays so, for a value is stored in one only after its padding has been made zero where it is not known to be.
 *  All graphs rewritten by one Padding agree about the parameters. */
export function createPadding(block: number): Padding {
  const layouts = new Map<string, readonly Runs[]>();
  const layoutOf = (name: string, shape: Shape): readonly Runs[] => {
    const owner = layouts.get(slotOwner(name));
    const layout = layouts.get(name) ?? (owner && fits(owner, shape) ? owner : shape.map(bare));
    layouts.set(name, layout);
    return layout;
  };

  const rewrite: Padding['rewrite'] = (roots) => {
    const graph = b.createGraph();
    const nodes = ancestors(roots);
    const done = new Map<Node, readonly Padded[]>();
    const readers = new Map<Value, Node[]>();
    for (const node of nodes)
      for (const value of node.inputs) readers.set(value, [...(readers.get(value) ?? []), node]);

    const parameter = (value: Value): Padded => {
      const attrs = paramAttrs(value);
      const runs = layoutOf(attrs.name, attrs.shape);
      return { value: b.param(graph, { ...attrs, shape: runs.map(fullLength) }), runs, fill: 0 };
    };
    const at: Rewriting = {
      graph,
      block,
      get(value) {
        if (!isOp(value.node, 'param')) return done.get(value.node)![value.index]!;
        const known = done.get(value.node) ?? [parameter(value)];
        done.set(value.node, known);
        return known[0]!;
      },
      as(value, runs) {
        if (at.isOpen(value)) layouts.set(paramAttrs(value).name, runs);
        return converted(at.get(value), runs);
      },
      layout: layoutOf,
      isOpen: (value) =>
        isOp(value.node, 'param') && !layouts.has(value.node.attrs.name) && value.node.attrs.role !== 'slot',
      readers: (value) => readers.get(value) ?? [],
    };
    for (const node of nodes) {
      if (isOp(node, 'param')) continue; // laid out by who reads it first
      done.set(node, padRule(node.op)?.(node, at) ?? plainly(node, at));
    }
    return roots.map((root) => (isOp(root.node, 'assign') ? at.get(root) : stripped(at.get(root))).value);
  };

  const each = (params: Params, change: (param: Param, runs: readonly Runs[]) => Param): Params =>
    new Map([...params].map(([name, param]) => {
      const runs = layouts.get(name);
      return [name, runs && !runs.every(isBare) ? change(param, runs) : param];
    })); // prettier-ignore
  return { rewrite, pad: (params) => each(params, padParam), strip: (params) => each(params, stripParam) };
}

/** Copies the real values between a bare array and a padded one. */
function copyReal(runs: readonly Runs[], copy: (bareAt: number, paddedAt: number, length: number) => void): void {
  const real = runs.map(realLength);
  const full = runs.map(fullLength);
  const pieces = runs.map(realRuns);
  const walk = (axis: number, bareAt: number, paddedAt: number): void => {
    const [bareStride, paddedStride] = [sizeOf(real.slice(axis + 1)), sizeOf(full.slice(axis + 1))];
    let i = 0;
    for (const [begin, length] of pieces[axis]!) {
      if (axis === runs.length - 1) copy(bareAt + i, paddedAt + begin, length);
      else
        for (let k = 0; k < length; k++)
          walk(axis + 1, bareAt + (i + k) * bareStride, paddedAt + (begin + k) * paddedStride);
      i += length;
    }
  };
  walk(0, 0, 0);
}

function padParam({ data }: Param, runs: readonly Runs[]): Param {
  const shape = runs.map(fullLength);
  const full = new Float32Array(sizeOf(shape));
  copyReal(runs, (from, to, length) => { full.set(data.subarray(from, from + length), to); }); // prettier-ignore
  return { shape, data: full };
}

function stripParam({ data }: Param, runs: readonly Runs[]): Param {
  const shape = runs.map(realLength);
  const real = new Float32Array(sizeOf(shape));
  copyReal(runs, (to, from, length) => { real.set(data.subarray(from, from + length), to); }); // prettier-ignore
  return { shape, data: real };
}
