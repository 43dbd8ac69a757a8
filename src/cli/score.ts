import type { Intervals } from '../evaluate/bootstrap.js';
import type { Explanation } from '../evaluate/explain.js';
import type { ScorePage } from '../report/scoreReport.js';

/** The options of `finetune score` as they were typed. */
export interface ScoreCommand {
  readonly gt?: string | undefined;
  readonly dt?: string | undefined;
  readonly iouType?: string | undefined;
  readonly split?: string | undefined;
  readonly year?: string | undefined;
  readonly protocol?: string | undefined;
  /** Folder for a report. */
  readonly report?: string | undefined;
  /** Resamplings of the images, for a 95 % interval. */
  readonly bootstrap?: string | undefined;
  readonly json?: boolean;
}

/** What a metric's own part leaves to be printed. */
export interface Scored {
  readonly score: object;
  readonly table: string;
  /** The number that the explanation is for. */
  readonly main: number;
  readonly notes: readonly string[];
  /** undefined: nothing to warn of. */
  readonly warning: string | undefined;
  readonly explain: () => Promise<Explanation>;
  readonly intervals: (samples: number) => Promise<Intervals>;
  readonly page: () => Promise<ScorePage>;
}

export type Complain = (message: string) => Error;

/** `finetune score coco|voc|icdar`: the table, or with --json the score alone, on stdout; whatever needs saying on stderr.
 *  `usage` makes the error of a wrong command line. */
export async function score(metric: string, command: ScoreCommand, usage: Complain): Promise<void> {
  const allowed = METRICS.find(({ name }) => name === metric);
  if (!allowed) throw usage(`there is no metric "${metric}": ${METRICS.map(({ name }) => name).join(', ')}`);
  for (const flag of ['iouType', 'split', 'year', 'protocol'] as const) {
    if (command[flag] !== undefined && !allowed.flags.includes(flag))
      throw usage(`${FLAGS[flag]} is not an option of "score ${metric}"`);
  }
  const samples = command.bootstrap === undefined ? 0 : Number(command.bootstrap);
  if (command.bootstrap !== undefined && !(Number.isInteger(samples) && samples >= 1 && samples <= 1e6))
    throw usage(`--bootstrap is a number of samples, 1 to 1000000; got "${command.bootstrap}"`);

  const { run } = await allowed.load();
  const scored = await run(command, usage);
  for (const note of scored.notes) console.error(note);
  if (scored.warning !== undefined) console.error(scored.warning);
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

/** A score below it gets a word, if it is certain what is wrong. */
const LOW = 0.1;

/** A score of 0 (or −1) is not left bare. */
async function explainLow({ main, explain }: Scored): Promise<void> {
  if (main >= LOW) return;
  const { reasons, isCertain } = await explain();
  const subject = main > 0 ? `the score is low` : main === 0 ? 'the score is 0' : 'there is no score';
  if (main <= 0 || isCertain) for (const reason of reasons) console.error(`${subject}: ${reason}`);
}

const FLAGS = { iouType: '--iou-type', split: '--split', year: '--year', protocol: '--protocol' } as const;

type Flag = keyof typeof FLAGS;

const METRICS: readonly {
  readonly name: string;
  readonly flags: readonly Flag[];
  readonly load: () => Promise<{ run: (command: ScoreCommand, usage: Complain) => Promise<Scored> }>;
}[] = [
  { name: 'coco', flags: ['iouType'], load: () => import('./scoreCoco.js') },
  { name: 'voc', flags: ['split', 'year'], load: () => import('./scoreVoc.js') },
  { name: 'icdar', flags: ['protocol'], load: () => import('./scoreIcdar.js') },
];

const intervalLines = (intervals: Intervals, samples: number): string[] => [
  `95 % interval over images (bootstrap, ${samples} samples)`,
  ...Object.entries(intervals).map(
    ([name, [low, high]]) => `  ${name.padEnd(10)} ${low.toFixed(3)} … ${high.toFixed(3)}`,
  ),
];

export function needed(flag: string, value: string | undefined, usage: Complain): string {
  if (value === undefined || value === '') throw usage(`${flag} is missing`);
  return value;
}

export function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[], usage: Complain): T {
  const found = allowed.find((name) => name === value);
  if (found === undefined) throw usage(`${flag} is one of ${allowed.join(', ')}; got "${value}"`);
  return found;
}
