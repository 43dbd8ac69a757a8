/** Options that the heads of the SSD family share. */
import { z } from 'zod';
import type { Conflict, Idle } from '../../../../conflict.js';
import type { AnchorShapes } from '../../anchors.js';
import type { HeadOptions } from '../../defineDetector.js';
import { boxLossOption } from '../../options.js';

export const multiBoxOptions = {
  classLoss: z
    .enum(['sigmoid', 'softmax'])
    .default('softmax')
    .describe(
      'The loss of the classes. `softmax` lets the classes and a background compete, and learns the hardest background anchors alone. `sigmoid` has an output for each class that says yes or no, and the focal loss. Choose the one that the weights were trained with.',
    ),
  boxLoss: boxLossOption('smoothL1'),
};

export type MultiBoxOptions = HeadOptions<z.ZodObject<typeof multiBoxOptions>>;

const share = z.number().positive().max(2);

/** `model.anchors`: the anchors of one of these publications, the first by default, or the user's own. */
export const anchorsOption = <const K extends string>(origins: readonly [K, ...K[]]) => {
  const own = 'for each level a list of [width, height] as shares of the input';
  return z
    .union([z.enum(origins), z.array(z.array(z.tuple([share, share]))).min(1)])
    .default(origins[0])
    .meta({
      description: `Sizes of the anchors: those of published weights, in their order (${origins.join(', ')}), or your own for each level, finest first. A level with an empty list predicts nothing. Set your own when \`finetune check\` finds that the anchors miss many objects; \`finetune anchors\` fits and prints them.`,
      expects: `${origins.join(', ')}, or ${own}`,
      example: [
        [
          [0.1, 0.1],
          [0.1, 0.2],
        ],
        [[0.3, 0.3]],
        [],
        [],
        [],
        [],
      ],
    });
};

/** Anchors of the user's own need a list for each level of the head, and one anchor at least. */
export function anchorConflicts(anchors: string | AnchorShapes, head: string, levels: number): readonly Conflict[] {
  if (typeof anchors === 'string') return [];
  const path = 'model.anchors';
  if (anchors.length !== levels) {
    const message = `"model.anchors" has ${anchors.length} levels, "model.head: ${head}" has ${levels}`;
    return [
      { path, message, fix: 'give each level a list, finest first; an empty one where nothing is to be predicted' },
    ];
  }
  if (anchors.some(({ length }) => length > 0)) return [];
  return [{ path, message: '"model.anchors" has no anchor on any level', fix: 'fit them with finetune anchors' }];
}

/** Each loss of the classes has an option that the other one does not read. */
export const idleLossOption = ({ classLoss }: Pick<MultiBoxOptions, 'classLoss'>): Idle =>
  classLoss === 'softmax'
    ? ['train.focal', 'model.classLoss: softmax', 'model.classLoss: sigmoid']
    : ['train.hardNegatives', 'model.classLoss: sigmoid', 'model.classLoss: softmax'];
