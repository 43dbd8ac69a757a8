import type { Value } from '../../graph/spec.js';
import { buildTrunk, type Build } from '../detector.js';
import type { BackboneChoice } from '../table.js';
import { craft, CRAFT_BACKBONE } from './craft.js';
import { craftLite } from './craftLite.js';

/** `craft`: CRAFT as published, on VGG16-BN. `craft-lite`: a slim decoder on any backbone. */
export interface TextModelOptions {
  readonly head: 'craft' | 'craft-lite';
  readonly backbone: BackboneChoice;
}

/** Scores for characters and for the gaps between two of them, at half the resolution of the image (rounded up). */
export interface ScoreMaps {
  /** [N, height, width, 3], RGB 0…255. The graph itself normalises the pixels. */
  readonly image: Value;
  /** [N, ⌈height/2⌉, ⌈width/2⌉, 2]: region score (1 in the middle of a character), affinity score. Not limited to
   *  0…1. */
  readonly maps: Value;
}

/** Builds a text detector for one batch and size. Throws E_MODEL_UNKNOWN. */
export function buildScoreMaps({ head, backbone }: TextModelOptions, build: Build): ScoreMaps {
  if (head === 'craft') return craft(build);
  const { image, taps, at } = buildTrunk(backbone, build);
  return { image, maps: craftLite(taps, at) };
}

/** The backbone of a text model; that of CRAFT as published is fixed. */
export const textBackbone = ({ head, backbone }: TextModelOptions): BackboneChoice =>
  head === 'craft' ? CRAFT_BACKBONE : backbone;
