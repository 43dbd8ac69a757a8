import { activate, conv, linear, normActivate, type Context } from '../../graph/blocks.js';
import { globalAveragePool, reshape } from '../../graph/builder.js';
import type { Value } from '../../graph/spec.js';
import type { Backbone, Taps } from '../backbone.js';
import { divisible } from './divisible.js';
import { linearHead } from './linearHead.js';
import { mobileBlock, type BlockDefaults, type Row } from './mobileBlocks.js';

/** The rows of each stage. */
export type Table = readonly (readonly Row[])[];

export interface MobileNetwork extends BlockDefaults {
  /** Channels of the first convolution, 3×3 with stride 2. */
  readonly stem: number;
  readonly table: Table;
  /** Channels of the last 1×1 convolution; 0 for none. */
  readonly head: number;
  /** Whether the last convolution follows the pooling, with a bias, instead of preceding it, with a BatchNorm. */
  readonly headPooled?: boolean;
  /** Whether the last convolution after the pooling has a BatchNorm instead of the bias. */
  readonly headNorm?: boolean;
}

/** Multiplies the channels of a table, in multiples of 8, and the depth of its stages: Tan & Le 2019
 *  (arXiv:1905.11946), section 3.3. `fixedDepth` keeps the depth of the first and the last stage. */
export function scaleTable(table: Table, { width = 1, depth = 1, fixedDepth = false } = {}): Table {
  return table.map((rows, stage) =>
    rows.map(([block, expansion, channels, repeats, stride, options]) => {
      const fixed = fixedDepth && (stage === 0 || stage === table.length - 1);
      const deeper = fixed ? repeats : Math.ceil(repeats * depth);
      return [block, expansion, divisible(channels * width), deeper, stride, options ?? {}] as const;
    }),
  );
}

function features({ stem, table, head, headPooled, ...defaults }: MobileNetwork): (image: Value, at: Context) => Taps {
  return (image, at) => {
    const path = 'backbone';
    const front = conv(image, `${path}.conv_stem`, at, { channels: stem, kernel: 3, stride: 2 });
    let x = normActivate(front, `${path}.bn1`, at, defaults.activation);
    let level = 0; // its stride is 2^(level + 1)
    const taps = [x];
    let c4Expanded: Value | undefined;
    for (const [stage, rows] of table.entries()) {
      let i = 0;
      for (const row of rows) {
        for (let repeat = 0; repeat < row[3]; repeat++) {
          const [block, expansion, channels, , first, options = {}] = row;
          const stride = repeat === 0 ? first : 1;
          const name = `${path}.blocks.${stage}.${i++}`;
          const { y, expanded } = mobileBlock(x, name, at, [block, expansion, channels, 1, stride, options], defaults);
          if (stride === 2) level++;
          if (stride === 2 && level === 4) c4Expanded = expanded;
          x = y;
          taps[level] = x;
        }
      }
    }
    const [c1, c2, c3, c4] = taps as [Value, Value, Value, Value];
    const wide = (): Value =>
      normActivate(conv(x, `${path}.conv_head`, at, { channels: head }), `${path}.bn2`, at, defaults.activation);
    return { c1, c2, c3, c4, c5: head && !headPooled ? wide() : x, ...(c4Expanded && { c4Expanded }) };
  };
}

/** MobileNetV3's last stage is computed on the pooled features: Howard et al. 2019 (arXiv:1905.02244), section 5.1.
 *  MobileNetV4 puts a BatchNorm there. */
const pooledHead =
  ({ head, headNorm = false, activation }: MobileNetwork): Backbone['classifier'] =>
  ({ c5 }, at, classes) => {
    const wide = conv(globalAveragePool(c5), 'backbone.conv_head', at, { channels: head, bias: !headNorm });
    const y = headNorm ? normActivate(wide, 'backbone.norm_head', at, activation) : activate(wide, activation);
    return linear(reshape(y, [c5.shape[0]!, head]), 'classifier', at, { units: classes });
  };

/** The parameters of the last convolution. */
const headStage = ({ headPooled, headNorm }: MobileNetwork): readonly string[] =>
  headPooled ? ['conv_head', ...(headNorm ? ['norm_head'] : [])] : ['conv_head', 'bn2'];

/** Builds a backbone from a table of the MobileNet family. Names are timm's. */
export function mobileNetwork(network: MobileNetwork): Pick<Backbone, 'features' | 'classifier' | 'stages'> {
  const blocks = network.table.map((_, stage) => [`blocks.${stage}`]);
  const stages = [['conv_stem', 'bn1'], ...blocks, ...(network.head ? [headStage(network)] : [])];
  return {
    features: features(network),
    classifier: network.headPooled ? pooledHead(network) : linearHead('classifier'),
    stages: stages.map((names) => names.map((name) => `backbone.${name}`)),
  };
}
