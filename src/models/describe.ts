import { count } from '../graph/count.js';
import { createGraph, input } from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import type { Backbone } from './backbone.js';
import { published, unpublished, type Published } from './published.js';

/** A backbone as `finetune models` prints it. */
export interface ModelSummary {
  readonly name: string;
  /** Trained values and multiply-adds for one image, with the classifier of 1000 classes. */
  readonly params: number;
  readonly macs: number;
  /** Side of the square image that macs and the published figures are for, pixels. */
  readonly resolution: number;
  readonly stages: readonly { readonly tap: string; readonly stride: number; readonly channels: number }[];
  readonly published: Published;
}

const CLASSES = 1000;
const TAPS = ['c1', 'c2', 'c3', 'c4', 'c5'] as const;

/** The logits of a backbone's classifier on running statistics, [batch, classes], and its feature maps. */
export function buildClassifier(
  backbone: Backbone,
  { batch = 1, size = backbone.resolution, classes = CLASSES } = {},
): { readonly logits: Value; readonly taps: ReturnType<Backbone['features']> } {
  const graph = createGraph();
  const at = { graph, style: backbone.style, trainBatchNorm: () => false };
  const taps = backbone.features(input(graph, 'image', [batch, size, size, 3]), at);
  return { taps, logits: backbone.classifier(taps, at, classes) };
}

/** Counts a backbone and sets what is published beside it. */
export function describe(backbone: Backbone): ModelSummary {
  const { name, resolution } = backbone;
  const { logits, taps } = buildClassifier(backbone);
  const { params, macs } = count([logits]);
  const stages = TAPS.flatMap((tap, i) => {
    const map = taps[tap];
    return map ? [{ tap, stride: 2 ** (i + 1), channels: map.shape[3]! }] : [];
  });
  return { name, params, macs, resolution, stages, published: published.get(name) ?? unpublished };
}
