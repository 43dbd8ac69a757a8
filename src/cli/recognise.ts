import type { Context } from '../graph/blocks.js';
import { createGraph, input, isOp } from '../graph/builder.js';
import { ancestors } from '../graph/rewrite.js';
import type { Backbone } from '../models/backbone.js';
import { backbones } from '../models/registry.js';
import { torchShape } from '../weights/layout.js';
import { findNameMap } from '../weights/names.js';
import { formatShape } from '../weights/decode/rawTensor.js';
import type { RawWeights } from '../weights/decode/raw.js';

/** What a weights file is recognised as. */
export interface Recognised {
  /** Whose names the file uses; undefined if no name map recognises it. */
  readonly names: string | undefined;
  /** Backbones of the registry of which the file has all weights, statistics included. */
  readonly backbones: readonly string[];
  /** Number of classes of its classifier, if the file has one and fits a backbone. */
  readonly classes: number | undefined;
}

/** Compares the names and shapes of a file with those of every backbone. */
export function recognise(raw: RawWeights, file: string): Recognised {
  const map = findNameMap(raw);
  if (!map) return { names: undefined, backbones: [], classes: undefined };
  const { params } = map.apply(raw.tensors, file);
  const shapes = new Map([...params].map(([name, { shape }]) => [name.replace(/^backbone\./, ''), formatShape(shape)]));
  const fitting = [...backbones.values()].filter(
    (backbone) => map.models.test(backbone.name) && fits(backbone, shapes, raw.layout),
  );
  const last = [...params]
    .reverse()
    .find(([name]) => /^(head\.fc|fc|classifier|classifier\.[16]|output|output\.(fc|linear))\.bias$/.test(name));
  return {
    names: map.origin,
    backbones: fitting.map(({ name }) => name),
    classes: fitting.length > 0 ? last?.[1].shape[0] : undefined,
  };
}

function fits(backbone: Backbone, shapes: ReadonlyMap<string, string>, layout: RawWeights['layout']): boolean {
  const first = backbone.stages[0]?.[0]?.replace(/^backbone\./, '') ?? '';
  if (![...shapes.keys()].some((name) => name.startsWith(`${first}.`))) return false; // building the graph takes longer
  const graph = createGraph();
  const at: Context = { graph, style: backbone.style, trainBatchNorm: () => false };
  const side = backbone.resolution;
  const { c5 } = backbone.features(input(graph, 'image', [1, side, side, 3]), at);
  return ancestors([c5]).every((node) => {
    if (!isOp(node, 'param')) return true;
    const { name, kind, shape } = node.attrs;
    const expected = layout === 'torch' ? torchShape(kind, shape) : shape;
    return shapes.get(name.replace(/^backbone\./, '')) === formatShape(expected);
  });
}
