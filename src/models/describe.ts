import { createGraph, input, isOp } from '../graph/builder.js';
import { count, countNodes, type Count } from '../graph/count.js';
import { ancestors } from '../graph/rewrite.js';
import type { Node, Value } from '../graph/spec.js';
import type { Backbone } from './backbone.js';
import { published, unpublished, type Published } from './published.js';

/** The figures of a backbone that `finetune models` prints. */
export interface ModelSummary {
  readonly name: string;
  /** Trained values, and multiply-adds for one image, with a classifier of 1000 classes. */
  readonly params: number;
  readonly macs: number;
  /** Side of the square image that `macs` and the published figures are for, in pixels. */
  readonly resolution: number;
  readonly stages: readonly { readonly tap: string; readonly stride: number; readonly channels: number }[];
  readonly published: Published;
}

const CLASSES = 1000;
const TAPS = ['c1', 'c2', 'c3', 'c4', 'c5'] as const;

/** One of the stages that `train.freeze.stages` counts, or the classifier, which comes last. */
export interface StageSummary extends Count {
  /** Paths of its parameters without `backbone.`: blocks.3, layer1 … */
  readonly name: string;
  /** Height, width and channels of its last map; for the classifier the number of classes. */
  readonly size: readonly number[];
  /** The values of this stage and of those before it that later stages read; for the last stage the logits. */
  readonly outputs: readonly Value[];
}

/** The logits of a backbone's classifier, [batch, classes], and its feature maps, with running statistics in
 *  BatchNorm. */
export function buildClassifier(
  backbone: Backbone,
  { batch = 1, size = backbone.resolution, classes = CLASSES } = {},
): { readonly logits: Value; readonly taps: ReturnType<Backbone['features']> } {
  const graph = createGraph();
  const at = { graph, style: backbone.style, trainBatchNorm: () => false };
  const taps = backbone.features(input(graph, 'image', [batch, size, size, 3]), at);
  return { taps, logits: backbone.classifier(taps, at, classes) };
}

/** Counts `logits` stage by stage. A node belongs to the last of the stages that its inputs and their inputs belong
 *  to. */
export function describeStages({ stages }: Backbone, logits: Value): StageSummary[] {
  const nodes = ancestors([logits]);
  const places = new Map<Node, number>();
  const placeOf = (name: string): number => {
    const found = stages.findIndex((prefixes) => prefixes.some((prefix) => name.startsWith(`${prefix}.`)));
    return found < 0 ? stages.length : found;
  };
  for (const node of nodes) {
    const above = node.inputs.map((value) => places.get(value.node)!);
    places.set(node, isOp(node, 'param') ? placeOf(node.attrs.name) : Math.max(0, ...above));
  }
  const names = [
    ...stages.map((prefixes) => prefixes.map((prefix) => prefix.replace('backbone.', '')).join(' ')),
    'classifier',
  ];
  return names.flatMap((name, place) => {
    const own = nodes.filter((node) => places.get(node) === place);
    if (own.length === 0) return [];
    const later = nodes.filter((node) => places.get(node)! > place).flatMap(({ inputs }) => inputs);
    const read = later.filter(({ node }) => node.inputs.length > 0 && places.get(node)! <= place);
    const outputs = read.length > 0 ? [...new Set(read)] : [logits];
    const made = own.filter((node) => node.inputs.length > 0).map((node) => node.outputs[0]!.shape);
    // The pooling of the last map has no parameters, so it belongs to the stage before the classifier.
    const size = (made.findLast(([, height = 1]) => height > 1 && place < stages.length) ?? made.at(-1)!).slice(1);
    return [{ name, size, outputs, ...countNodes(own) }];
  });
}

/** Counts a backbone, and adds its published figures. */
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
