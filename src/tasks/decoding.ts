import type { AnchorLevel } from './detection/anchors.js';
import type { CoderScale } from './detection/boxCoder.js';

/** How a network's outputs become predictions, as plain data: the card of an exported model carries it, so that other
 *  programs can find the same. `decode` of the network does what it says. */
export interface Decoding {
  /** The meaning of each output, by name. A is the number of anchors or points, K that of the classes. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Formula of the scores. */
  readonly scores: string;
  /** Formula of the boxes or outlines, in pixels of the input. Left out by a classifier. */
  readonly boxes?: string;
  /** The anchors in the order of the outputs: level after level, row after row, cell after cell, shape after shape. */
  readonly anchors?: AnchorRule;
  readonly points?: PointRule;
  /** Rows and columns of the cells of a detector that predicts for each cell of one grid. */
  readonly grid?: { readonly height: number; readonly width: number };
  readonly boxCoder?: BoxCoder;
  /** Which boxes enter non-maximum suppression. */
  readonly candidates?: string;
  /** Whether non-maximum suppression follows, class by class. */
  readonly suppresses?: boolean;
}

export interface AnchorRule {
  readonly rule: string;
  readonly levels: readonly AnchorLevel[];
}

export interface PointRule {
  readonly rule: string;
  readonly levels: readonly { readonly height: number; readonly width: number; readonly stride: number }[];
}

interface BoxCoder extends CoderScale {
  /** Limit on the logarithm of a decoded width or height. */
  readonly largestLogSize: number;
}

export const anchorRule = (levels: readonly AnchorLevel[]): AnchorRule => ({
  rule: 'level after level, row y after row, cell x after cell, shape [w, h] after shape: the centre is ((x + offset) · step[1], (y + offset) · step[0]), in pixels of the input',
  levels,
});

/** Formula of boxes that are offsets from anchors, or from other boxes. */
export const fromAnchors = (anchors = 'its anchor'): string =>
  `centre = ${anchors}'s centre + offset / boxCoder.centre · its width or height; width, height = exp(min(offset / boxCoder.size, boxCoder.largestLogSize)) · its width or height; then limited to the input`;
