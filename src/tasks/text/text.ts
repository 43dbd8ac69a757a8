import { ofKind, type Sample } from '../../data/sample.js';
import * as b from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import { findBackbone } from '../../models/registry.js';
import { buildScoreMaps, textBackbone, type TextModelOptions } from '../../models/text/scoreMaps.js';
import { conventionsOf } from '../description/description.js';
import type { Losses, Network, Targets } from '../network.js';
import { findText, half, mapsOf, type TextDetection } from './findText.js';
import { gaussianMaps } from './gaussianMap.js';
import { LEAST_AREA, type TextThresholds } from './textBoxes.js';
import { mapLoss, type TextLossOptions } from './textLoss.js';

export interface TextOptions extends TextModelOptions, TextLossOptions {
  /** Height and width of the crops for training, in pixels. */
  readonly size: readonly [number, number];
  /** Height and width of the letterboxed images for evaluation, in pixels. */
  readonly evaluateSize: readonly [number, number];
  readonly thresholds: TextThresholds;
}

/** Scene text by the regions of characters and their affinities: CRAFT. Baek et al. 2019 (arXiv:1904.01941).
 *  Throws E_MODEL_UNKNOWN. */
export function textTask(options: TextOptions): Network<readonly TextDetection[]> {
  const { size, evaluateSize, thresholds, head } = options;
  const choice = textBackbone(options);
  const backbone = findBackbone(choice);

  function loss(maps: Value): Losses {
    const { graph } = maps.node;
    const [batch, rows, columns] = maps.shape as [number, number, number];
    const flat = [batch, rows * columns];
    const weight = b.input(graph, 'weight', flat);
    const part = (name: 'region' | 'affinity', channel: number): Value => {
      const prediction = b.reshape(b.slice(maps, [0, 0, 0, channel], [batch, rows, columns, 1]), flat);
      return mapLoss(prediction, b.input(graph, name, flat), weight, options);
    };
    const parts = { regionLoss: part('region', 0), affinityLoss: part('affinity', 1) };
    return { total: b.add(parts.regionLoss, parts.affinityLoss), parts };
  }

  return {
    name: 'text',
    backbone,
    size,
    evaluateSize,
    description: {
      task: 'text',
      backbone: choice,
      ...conventionsOf(backbone),
      size,
      head,
      evaluateSize,
      thresholds,
    },
    columns: () => [],
    build: (build) => {
      const { image, maps } = buildScoreMaps(options, build);
      return { image, outputs: { maps }, loss: () => loss(maps) };
    },
    encode: (sample: Sample): Targets => {
      const { words, picture } = ofKind(sample, 'text');
      return { ...gaussianMaps(words, half(picture.width), half(picture.height)) };
    },
    decoding: {
      outputs: {
        maps: '[1, height / 2, width / 2, 2], rounded up: region score (1 in the middle of a character) and affinity score of each cell',
      },
      scores: 'the mean region score of the text cells of a word',
      boxes: `cells with a region score above lowText or an affinity score above link form 4-connected regions; those with fewer than ${LEAST_AREA} cells, or whose highest region score is below text, are dropped; as in craft_utils.py of github.com/clovaai/CRAFT-pytorch. The middle of cell i is pixel 2i + 1 of the input`,
    },
    blank: () => {
      const cells = half(evaluateSize[0]) * half(evaluateSize[1]);
      return Object.fromEntries(['region', 'affinity', 'weight'].map((name) => [name, new Float32Array(cells)]));
    },
    decode: (outputs, origins) => mapsOf(outputs, origins, evaluateSize).map((one) => findText(one, thresholds)),
  };
}
