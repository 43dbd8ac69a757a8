import type { Context } from '../graph/blocks.js';
import { createGraph, input } from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import { normalise, type Taps } from './backbone.js';
import { findBackbone } from './registry.js';
import type { BackboneChoice } from './table.js';

export interface Build {
  readonly batch: number;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  /** Whether the BatchNorm at this path uses the statistics of the batch. */
  readonly trainBatchNorm: (path: string) => boolean;
}

/** An image and a backbone's feature maps of it, which a neck continues. */
export interface Trunk {
  /** [N, height, width, 3], RGB 0…255. The graph itself normalises the pixels. */
  readonly image: Value;
  readonly taps: Taps;
  readonly at: Context;
}

/** Makes the levels that a head predicts on, finest first, of a backbone's feature maps. Its parameters are called
 *  `neck.…`. */
export type Neck = (taps: Taps, at: Context) => readonly Value[];

/** Begins a detector for one batch and size: image, normalisation and backbone. Throws E_MODEL_UNKNOWN. */
export function buildTrunk(choice: BackboneChoice, { batch, size, trainBatchNorm }: Build): Trunk {
  const backbone = findBackbone(choice);
  const graph = createGraph();
  const at: Context = { graph, style: backbone.style, trainBatchNorm };
  const image = input(graph, 'image', [batch, ...size, 3]);
  return { image, taps: backbone.features(normalise(image, backbone), at), at };
}
