import type { Context } from '../graph/blocks.js';
import { createGraph, input } from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import { normalise, type Taps } from './backbone.js';
import { findBackbone } from './registry.js';
import type { BackboneChoice } from './table.js';

export interface Build {
  readonly batch: number;
  /** Height and width of the input, pixels. */
  readonly size: readonly [number, number];
  /** Whether the BatchNorm at this path uses the batch's statistics. */
  readonly trainBatchNorm: (path: string) => boolean;
}

/** A backbone on its image: what a neck goes on from. */
export interface Trunk {
  /** [N, height, width, 3], RGB 0…255: the normalisation is part of the graph. */
  readonly image: Value;
  readonly taps: Taps;
  readonly at: Context;
}

/** A backbone's feature maps → the levels a head predicts on, finest first. Parameters are called `neck.…`. */
export type Neck = (taps: Taps, at: Context) => readonly Value[];

/** Starts a detector for one batch and size: image, normalisation, backbone. Throws E_MODEL_UNKNOWN. */
export function buildTrunk(choice: BackboneChoice, { batch, size, trainBatchNorm }: Build): Trunk {
  const backbone = findBackbone(choice);
  const graph = createGraph();
  const at: Context = { graph, style: backbone.style, trainBatchNorm };
  const image = input(graph, 'image', [batch, ...size, 3]);
  return { image, taps: backbone.features(normalise(image, backbone), at), at };
}
