import type { Context } from '../graph/blocks.js';
import { createGraph, input } from '../graph/builder.js';
import type { Value } from '../graph/spec.js';
import { normalise } from './backbone.js';
import { findBackbone } from './registry.js';
import { ssdLiteHead, type DetectorOutputs } from './heads/ssdlite.js';
import { extras } from './necks/extras.js';

export interface DetectorOptions {
  readonly backbone: string;
  readonly head: 'ssdlite';
  readonly numClasses: number;
  readonly classLoss: 'sigmoid' | 'softmax';
  /** Anchors per cell on the level with the finest grid; the others have 6. */
  readonly lowestLevelAnchors: 3 | 6;
}

interface Build {
  readonly batch: number;
  /** Height and width of the input, pixels. */
  readonly size: readonly [number, number];
  readonly trainBatchNorm: (path: string) => boolean;
}

export interface DetectorGraph {
  /** [N, height, width, 3], RGB 0…255: the normalisation is part of the graph. */
  readonly image: Value;
  readonly outputs: DetectorOutputs;
  /** Height, width and anchors per cell of each level, finest first. */
  readonly levels: readonly { readonly height: number; readonly width: number; readonly anchors: number }[];
}

const LEVELS = 6;
const ANCHORS = 6;
/** Sigmoid classes start at this probability, so that the many background anchors do not drown the first steps.
 *  Lin et al. 2017 (arXiv:1708.02002), section 4.1. */
const PRIOR = 0.01;

/** Builds a detector for one batch and size: backbone, neck, head. Throws E_MODEL_UNKNOWN. */
export function buildDetector(options: DetectorOptions, { batch, size, trainBatchNorm }: Build): DetectorGraph {
  const backbone = findBackbone(options.backbone);
  const graph = createGraph();
  const at: Context = { graph, style: backbone.style, trainBatchNorm };
  const image = input(graph, 'image', [batch, ...size, 3]);
  const { c4, c4Expanded = c4, c5 } = backbone.features(normalise(image, backbone), at);
  const maps = [c4Expanded, c5, ...extras(c5, at)];
  const anchors = Array.from({ length: LEVELS }, (_, i) => (i === 0 ? options.lowestLevelAnchors : ANCHORS));
  const softmax = options.classLoss === 'softmax';
  const outputs = ssdLiteHead(maps, at, {
    columns: options.numClasses + (softmax ? 1 : 0),
    anchors,
    classBias: softmax ? 0 : -Math.log((1 - PRIOR) / PRIOR),
  });
  const levels = maps.map(({ shape }, i) => ({ height: shape[1]!, width: shape[2]!, anchors: anchors[i]! }));
  return { image, outputs, levels };
}
