import { rankedValue } from '../evaluate/rank.js';
import type { EpochLine, MetricsLine } from '../train/log/record.js';

/** Evaluations that a trend needs at least. */
const FEWEST = 5;
/** The least change of a score, 0…1, that counts. */
const LEAST = 0.01;
/** The least change as a share of the value: that of a loss, and of a score of which it is less. */
const LEAST_SHARE = 0.03;

/** Says whether the curves of a run show overfitting, or a training that ended too early; undefined where they show
 *  neither. `name` is the number by which the epoch was chosen. A change counts where it is larger than the usual one
 *  from one evaluation to the next. */
export function describeTrend(lines: readonly MetricsLine[], name: string): string | undefined {
  const epochs = lines.filter((line): line is EpochLine => line.type === 'epoch' && line.metric !== undefined);
  const ranks = epochs.map(({ valLoss, metric }) => (name === 'loss' ? -valLoss : (metric?.[name] ?? NaN)));
  if (ranks.length < FEWEST || ranks.some((rank) => !Number.isFinite(rank))) return undefined;
  const best = ranks.indexOf(Math.max(...ranks));
  const share = LEAST_SHARE * Math.abs(ranks[best]!);
  const least = name === 'loss' ? share : Math.min(LEAST, share);
  const usual = median(ranks.slice(1).map((rank, i) => Math.abs(rank - ranks[i]!)));
  const counts = Math.max(least, usual);
  const print = (rank: number): string => rankedValue(name, rank).toFixed(3);
  const kept = epochs[best]!;
  const last = epochs.at(-1)!;

  const after = ranks.slice(best + 1);
  const end = meanOf(after.slice(Math.floor(after.length / 2)));
  const around = meanOf(ranks.slice(Math.max(0, best - 1), best + 2)); // the highest of many values is partly luck
  if (after.length >= 2 && last.trainLoss < 0.95 * kept.trainLoss && end < around - counts)
    return (
      `It seems to overfit: after epoch ${kept.epoch} the training loss fell from ${kept.trainLoss.toFixed(3)} to ${last.trainLoss.toFixed(3)}, while ` +
      `${name === 'loss' ? 'the loss' : name} on the validation part went from ${print(around)} to ${print(end)}. ` +
      `The weights of epoch ${kept.epoch} were kept. More images, stronger augmentation or more frozen stages help; more epochs do not.`
    );

  const quarter = Math.max(2, Math.floor(ranks.length / 4));
  const [before, lately] = [meanOf(ranks.slice(-2 * quarter, -quarter)), meanOf(ranks.slice(-quarter))];
  if (best >= ranks.length - quarter && lately > before + counts)
    return (
      `The score was still rising when the training ended: ${name === 'loss' ? 'the loss' : name} was ${print(before)} on average in the evaluations ` +
      `before the last ${quarter}, and ${print(lately)} in those. More epochs may give more.`
    );
  return undefined;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
