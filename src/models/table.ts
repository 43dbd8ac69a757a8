import type { Activation } from '../graph/blocks.js';
import { IMAGENET, INCEPTION, pytorch, tensorflow, type Backbone } from './backbone.js';
import type { Row } from './backbones/mobileBlocks.js';
import { mobileNetwork } from './backbones/mobileNetwork.js';

/** One row of a table like table 2 of Sandler et al. 2018: operator, expansion, channels, repeats, stride,
 *  squeeze-excite, activation, kernel. */
export interface TableRow {
  readonly operator: 'conv' | 'separable' | 'bottleneck';
  readonly expansion?: number | undefined;
  readonly channels: number;
  readonly repeats: number;
  readonly stride: 1 | 2;
  readonly se?: number | undefined;
  readonly activation?: Activation | undefined;
  readonly kernel?: number | readonly number[] | undefined;
}

/** A backbone of the user's own, made of the blocks of the MobileNet family; tasks/backboneOption.ts describes the
 *  options. */
export interface BackboneTable {
  readonly name: string;
  readonly stem: number;
  readonly rows: readonly TableRow[];
  readonly head: number;
  readonly activation: Activation;
  readonly seOf: 'input' | 'expanded';
  readonly seGate: Activation;
  readonly style: 'pytorch' | 'tensorflow';
}

/** The name of a published backbone, or a table. */
export type BackboneChoice = string | BackboneTable;

export const backboneName = (choice: BackboneChoice): string => (typeof choice === 'string' ? choice : choice.name);

const KERNEL = 3;
const RESOLUTION = 224;

function toRow({ operator, expansion = 1, channels, repeats, stride, se, activation, kernel = KERNEL }: TableRow): Row {
  const options = { kernel, ...(se !== undefined && { se }), ...(activation && { activation }) };
  const block = { conv: 'cn', separable: 'dsa', bottleneck: expansion === 1 ? 'ds' : 'ir' } as const;
  return [block[operator], expansion, channels, repeats, stride, options];
}

/** The network of a table whose last map has stride 32. Each row is a stage. Its figures are for 224 × 224 pixels. */
export function tableBackbone({ name, stem, rows, head, activation, seOf, seGate, style }: BackboneTable): Backbone {
  const theirs = style === 'tensorflow' ? { style: tensorflow, ...INCEPTION } : { style: pytorch, ...IMAGENET };
  const table = rows.map((row) => [toRow(row)]);
  const se = { of: seOf, gate: seGate };
  return {
    name,
    ...theirs,
    resolution: RESOLUTION,
    source: 'a table of your own',
    ...mobileNetwork({ stem, table, head, activation, se }),
  };
}
