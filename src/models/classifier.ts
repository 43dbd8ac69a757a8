import type { Context, Regulariser } from '../graph/blocks.js';
import { createGraph, input } from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import { normalise, type Backbone } from './backbone.js';

interface Build {
  readonly batch: number;
  /** Height and width of the input, in pixels. */
  readonly size: readonly [number, number];
  readonly trainBatchNorm: (path: string) => boolean;
  /** Dropout and stochastic depth, in training. */
  readonly regulariser?: Regulariser | undefined;
}

/** Builds a backbone with its own classifier for one batch and size → logits [N, classes]. */
export function buildClassifier(
  backbone: Backbone,
  classes: number,
  { batch, size, trainBatchNorm, regulariser }: Build,
): { readonly image: Value; readonly logits: Value } {
  const graph = createGraph();
  const at: Context = { graph, style: backbone.style, trainBatchNorm, ...(regulariser && { regulariser }) };
  const image = input(graph, 'image', [batch, ...size, 3]);
  const taps = backbone.features(normalise(image, backbone), at);
  return { image, logits: backbone.classifier(taps, at, classes) };
}
