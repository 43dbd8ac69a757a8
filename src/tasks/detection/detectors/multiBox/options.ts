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
      '`sigmoid`: one yes-or-no output for each class, focal loss. `softmax`: the classes and a background compete, hard negatives are mined.',
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
      description: `Sizes of the anchors, in the order of the published weights' columns (${origins.join(', ')}), or your own, finest level first. A level with an empty list predicts nothing.`,
      expects: `${origins.join(', ')}, or ${own}`,
    });
};

/** Anchors of the user's own need a list for each level of the head. */
export const anchorConflicts = (anchors: string | AnchorShapes, head: string, levels: number): readonly Conflict[] =>
  typeof anchors === 'string' || anchors.length === levels
    ? []
    : [
        {
          path: 'model.anchors',
          message: `"model.anchors" has ${anchors.length} levels, "model.head: ${head}" has ${levels}`,
          fix: 'give each level a list, finest first; an empty one where nothing is to be predicted',
        },
      ];

/** Each loss of the classes has an option that the other one does not read. */
export const idleLossOption = ({ classLoss }: Pick<MultiBoxOptions, 'classLoss'>): Idle =>
  classLoss === 'softmax'
    ? ['train.focal', 'model.classLoss: softmax', 'model.classLoss: sigmoid']
    : ['train.hardNegatives', 'model.classLoss: sigmoid', 'model.classLoss: softmax'];
