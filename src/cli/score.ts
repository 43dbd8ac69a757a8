import type { Intervals } from '../evaluate/bootstrap.js';
import { printable } from '../printable.js';
import type { ScoreCommand, Scored } from './scored.js';
import { UsageError } from './usage.js';

/** `finetune score coco|voc|icdar`: the table, or with --json the score alone, on stdout; notes and explanations on
 *  stderr.
 *  Throws a UsageError for options that do not fit the metric. */
export async function score(metric: string, command: ScoreCommand): Promise<void> {
  const allowed = METRICS.find(({ name }) => name === metric);
  if (!allowed) throw new UsageError(`there is no metric "${metric}": ${METRICS.map(({ name }) => name).join(', ')}`);
  for (const flag of Object.keys(FLAGS) as Flag[]) {
    if (command[flag] !== undefined && !allowed.flags.includes(flag))
      throw new UsageError(`${FLAGS[flag]} is not an option of "score ${metric}"`);
  }
  const samples = command.bootstrap === undefined ? 0 : Number(command.bootstrap);
  if (command.bootstrap !== undefined && !(Number.isInteger(samples) && samples >= 1 && samples <= 1e6))
    throw new UsageError(`--bootstrap is a number of samples, 1 to 1000000; got "${command.bootstrap}"`);

  const { run } = await allowed.load();
  const scored = await run(command);
  for (const line of [...scored.notes, ...scored.warnings]) console.error(printable(line));
  await explainLow(scored);
  const intervals = samples > 0 ? await scored.intervals(samples) : undefined;
  if (command.json) {
    const bootstrap = intervals && { samples, confidence: 0.95, ...intervals };
    console.log(JSON.stringify(bootstrap ? { ...scored.score, bootstrap } : scored.score));
  } else {
    console.log([scored.table, ...(intervals ? intervalLines(intervals, samples) : [])].join('\n'));
  }
  if (command.report !== undefined) {
    const { writeScoreReport } = await import('../report/scoreReport.js');
    console.error(`report: ${await writeScoreReport({ ...(await scored.page()), intervals }, command.report)}`);
  }
}

/** A score below this is explained, if the reason is certain. */
const LOW = 0.1;

/** Says what is probably wrong when the score is low; a score of 0 or −1 (nothing to measure) is always explained. */
async function explainLow({ main, explain }: Scored): Promise<void> {
  if (main >= LOW) return;
  const { reasons, isCertain } = await explain();
  const subject = main > 0 ? `the score is low` : main === 0 ? 'the score is 0' : 'there is no score';
  if (main <= 0 || isCertain) for (const reason of reasons) console.error(printable(`${subject}: ${reason}`));
}

const FLAGS = {
  iouType: '--iou-type',
  split: '--split',
  year: '--year',
  protocol: '--protocol',
  gtLayout: '--gt-layout',
  dtLayout: '--dt-layout',
  maxDets: '--max-dets',
} as const;

type Flag = keyof typeof FLAGS;

const METRICS: readonly {
  readonly name: string;
  readonly flags: readonly Flag[];
  readonly load: () => Promise<{ run: (command: ScoreCommand) => Promise<Scored> }>;
}[] = [
  { name: 'coco', flags: ['iouType', 'maxDets'], load: () => import('./scoreCoco.js') },
  { name: 'voc', flags: ['split', 'year'], load: () => import('./scoreVoc.js') },
  { name: 'icdar', flags: ['protocol', 'gtLayout', 'dtLayout'], load: () => import('./scoreIcdar.js') },
];

const intervalLines = (intervals: Intervals, samples: number): string[] => [
  `95 % interval over images (bootstrap, ${samples} samples)`,
  ...Object.entries(intervals).map(
    ([name, [low, high]]) => `  ${name.padEnd(10)} ${low.toFixed(3)} … ${high.toFixed(3)}`,
  ),
];
