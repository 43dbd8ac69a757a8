import * as b from '../builder.js';
import { isOp } from '../builder.js';
import { unpadded, fullLength, isUnpadded, realLength, realRuns, type Runs } from './runs.js';
import { converted, stripped, type Padded, type Rewriting } from './layout.js';
import { padRule } from './rules.js';
import type { Param, Params } from '../params.js';
import { ancestors } from '../rewrite.js';
import { sizeOf } from '../shapes.js';
import type { Node, Shape, Value } from '../spec.js';
import { paramAttrs, slotOwner } from '../slots.js';

export interface Padding {
  /** Copies the values to a new graph in which channels are padded with zeros where that pays off (policy.ts). The
   *  roots have no padding. */
  rewrite(roots: readonly Value[]): readonly Value[];
  /** Pads the values of the model's parameters for the new graph; `strip` is its inverse. */
  pad(params: Params): Params;
  strip(params: Params): Params;
}

/** Whether a slot of this shape can have its parameter's layout. An optimizer may keep fewer values than the parameter
 *  has. */
const fits = (runs: readonly Runs[], shape: Shape): boolean =>
  runs.length === shape.length && runs.every((own, axis) => realLength(own) === shape[axis]);

/** Computes any op without padding. */
const plainly = (node: Node, at: Rewriting): readonly Padded[] => {
  const inputs = node.inputs.map((value) => stripped(at.get(value)).value);
  return b
    .addNode(at.graph, node.op, inputs, node.attrs)
    .map((value) => ({ value, runs: value.shape.map(unpadded), padValue: undefined }));
};

/** Pads channels to a multiple of `block` without changing what the graph computes: padding never influences a real
 *  channel. The padding of parameters is zero and stays zero, because a value whose padding may differ is zeroed before
 *  it is stored. All graphs rewritten by one Padding share the layouts of their parameters. */
export function createPadding(block: number): Padding {
  const layouts = new Map<string, readonly Runs[]>();
  const layoutOf = (name: string, shape: Shape): readonly Runs[] => {
    const owner = layouts.get(slotOwner(name));
    const layout = layouts.get(name) ?? (owner && fits(owner, shape) ? owner : shape.map(unpadded));
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
      return { value: b.param(graph, { ...attrs, shape: runs.map(fullLength) }), runs, padValue: 0 };
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
        if (at.isUndecided(value)) layouts.set(paramAttrs(value).name, runs);
        return converted(at.get(value), runs);
      },
      layout: layoutOf,
      isUndecided: (value) =>
        isOp(value.node, 'param') && !layouts.has(value.node.attrs.name) && value.node.attrs.role !== 'slot',
      readers: (value) => readers.get(value) ?? [],
    };
    for (const node of nodes) {
      if (isOp(node, 'param')) continue; // the first reader decides its layout
      done.set(node, padRule(node.op)?.(node, at) ?? plainly(node, at));
    }
    return roots.map((root) => (isOp(root.node, 'assign') ? at.get(root) : stripped(at.get(root))).value);
  };

  const each = (params: Params, change: (param: Param, runs: readonly Runs[]) => Param): Params =>
    new Map([...params].map(([name, param]) => {
      const runs = layouts.get(name);
      return [name, runs && !runs.every(isUnpadded) ? change(param, runs) : param];
    })); // prettier-ignore
  return { rewrite, pad: (params) => each(params, padParam), strip: (params) => each(params, stripParam) };
}

/** Visits the runs of real values, with their places in an array without padding and in a padded one. */
function copyReal(runs: readonly Runs[], copy: (realAt: number, paddedAt: number, length: number) => void): void {
  const real = runs.map(realLength);
  const full = runs.map(fullLength);
  const pieces = runs.map(realRuns);
  const walk = (axis: number, realAt: number, paddedAt: number): void => {
    const [realStride, paddedStride] = [sizeOf(real.slice(axis + 1)), sizeOf(full.slice(axis + 1))];
    let i = 0;
    for (const [begin, length] of pieces[axis]!) {
      if (axis === runs.length - 1) copy(realAt + i, paddedAt + begin, length);
      else
        for (let k = 0; k < length; k++)
          walk(axis + 1, realAt + (i + k) * realStride, paddedAt + (begin + k) * paddedStride);
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
