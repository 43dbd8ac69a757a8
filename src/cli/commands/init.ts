import type { CAC } from 'cac';
import { DURATION } from '../../duration.js';
import { UsageError } from '../usage.js';
import { SET } from './shared.js';

interface InitFlags {
  readonly task?: string;
  readonly layout?: string;
  readonly out?: readonly string[];
  readonly latency?: string | number;
  readonly time?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

/** cac turns a value that looks like a number into one. */
export interface PlanFlags {
  readonly latency?: string | number | undefined;
  readonly time?: string | undefined;
}

export const TASKS = ['detection', 'text', 'classification'] as const;

/** Flags of the commands that look at a folder. */
export const FOLDER_FLAGS: readonly [flag: string, description: string][] = [
  ['--task <task>', `task, where a folder could be for several: ${TASKS.join(', ')}`],
  ['--layout <name>', 'layout of the annotations, where a folder could have several: coco, voc, yolo …'],
];

/** Flags of the commands that make a recipe for a folder. */
export const PLAN_FLAGS: readonly [flag: string, description: string][] = [
  ['--latency <time>', 'time that one image may take on this machine, such as 30ms: the input is chosen by it'],
  ['--time <duration>', 'time that the run may take: 10m'],
];

export function defineInit(program: CAC): void {
  const command = program
    .command('init <folder>', 'look at a folder of labelled images and write a recipe for it, with reasons')
    .option('--out <recipe.yaml>', 'file to write (default: named after the folder, in the current directory)', {
      type: [String],
    });
  for (const flag of [...FOLDER_FLAGS, ...PLAN_FLAGS]) command.option(...flag);
  command
    .option(...SET)
    .option('--json', 'print what was found as one line of JSON before the name of the recipe')
    .action(async (folder: string, { task, latency, time, out, ...flags }: InitFlags) => {
      const options = { ...folderOptions({ task, layout: flags.layout }), ...planOptions({ latency, time }) };
      const { init } = await import('../init.js');
      await init(folder, { ...options, set: flags.set ?? [], out: out?.at(-1), json: flags.json ?? false });
    });
}

/** The task and the layout that flags name. Throws a UsageError for a task that does not exist. */
export function folderOptions({
  task,
  layout,
}: {
  readonly task?: string | undefined;
  readonly layout?: string | undefined;
}) {
  const known = TASKS.find((name) => name === task);
  if (task !== undefined && !known) throw new UsageError(`--task is one of ${TASKS.join(', ')}; got "${task}"`);
  return { task: known, layout };
}

export function planOptions({ latency, time }: PlanFlags) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(String(latency ?? '')) ?? [];
  if (latency !== undefined && (number === undefined || Number(number) === 0))
    throw new UsageError(`--latency takes a time such as 30ms; got "${latency}"`);
  if (time !== undefined && !DURATION.test(time))
    throw new UsageError(`--time takes a duration such as 90s, 30m or 2h; got "${time}"`);
  return { latency: number === undefined ? undefined : Number(number) * (unit === 's' ? 1000 : 1), time };
}
