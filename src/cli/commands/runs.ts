import type { CAC } from 'cac';
import type { EvalCommand } from '../eval.js';
import type { TrainCommand } from '../train.js';
import { NegativeResult, UsageError, wholeNumber } from '../usage.js';
import { WORKERS_FLAGS, workersOf, type WorkersFlags } from './workers.js';
import { FOLDER_FLAGS, folderOptions, PLAN_FLAGS, planOptions, type PlanFlags } from './init.js';
import { ENGINE, SET, settingsOf, THREADS, type EngineFlags } from './shared.js';

/** cac turns a value that looks like a number into one. */
type TrainFlags = Omit<TrainCommand, 'out' | 'latency' | 'time' | 'workers'> &
  EngineFlags &
  PlanFlags &
  WorkersFlags & { readonly out?: string | number | undefined };

export function defineTrain(program: CAC): void {
  const command = program
    .command('<recipe.yaml>', 'run a recipe, or one made for a folder of labelled images: train, evaluate and report')
    .usage(
      '<recipe.yaml|folder> [--set key=value …] [--out DIR] [--engine E] [--threads N] [--resume | --extend EPOCHS | --dry-run] [--json] [--workers HOST:PORT,… --rank N]',
    )
    .option(...SET)
    .option('--out <dir>', 'run directory (default: a new one in the folder that the recipe names as out)')
    .option(...ENGINE)
    .option(...THREADS)
    .option('--resume', 'continue the stopped run in --out')
    .option('--extend <epochs>', 'number of epochs to add to the finished run in --out')
    .option('--until <epoch>', 'stop after this many epochs in all, with everything saved; --resume continues')
    .option('--dry-run', 'do one step of everything, forecast time, memory and disk, and leave nothing behind')
    .option('--json', 'print the metrics as one line of JSON before the run directory');
  for (const [flag, description] of WORKERS_FLAGS) command.option(flag, description);
  for (const [flag, description] of [...FOLDER_FLAGS, ...PLAN_FLAGS])
    command.option(flag, `of a folder: ${description}`);
  command.action(async (recipe: string, { out, latency, time, task, layout, ...options }: TrainFlags) => {
    checkVerbs({ out, ...options });
    const workers = workersOf(options);
    const asked = { ...folderOptions({ task, layout }), ...planOptions({ latency, time }) };
    // Lazily, like every command: `score` is done before zod would be loaded.
    const { train } = await import('../train.js');
    await train(recipe, {
      ...options,
      ...asked,
      workers,
      set: settingsOf(options),
      out: out === undefined ? out : String(out),
    });
  });
}

/** `--resume`, `--extend` and `--dry-run` exclude each other, and the first two need the directory of a run. */
function checkVerbs({ out, resume, extend, until, dryRun, workers }: TrainFlags): void {
  if (dryRun && (resume || extend !== undefined || until !== undefined || workers !== undefined))
    throw new UsageError(
      '--dry-run is for a new run of one process, without --resume, --extend, --until and --workers',
    );
  if (resume && extend !== undefined)
    throw new UsageError('--resume continues a stopped run and --extend a finished one: choose one of them');
  const verb = resume ? '--resume' : extend === undefined ? undefined : '--extend';
  if (verb && out === undefined) throw new UsageError(`${verb} needs --out, the directory of the run to continue`);
  if (until !== undefined) wholeNumber('--until', until, 1);
  if (extend !== undefined && !(Number.isInteger(extend) && extend > 0))
    throw new UsageError(`--extend takes a number of epochs; got "${extend}"`);
}

export function defineEval(program: CAC): void {
  program
    .command('eval <run-or-recipe>', "score a run's best checkpoint, or a recipe's starting weights")
    .option('--weights <uri>', 'weights to load instead: file:… or npm:…')
    .option(...SET)
    .option(...ENGINE)
    .option(...THREADS)
    .option('--json', 'print the score as one line of JSON')
    .action(async (path: string, options: EvalCommand & EngineFlags) => {
      const { evaluate } = await import('../eval.js');
      await evaluate(path, { ...options, set: settingsOf(options) });
    });
}

interface CompareFlags {
  readonly json?: boolean;
  readonly images: unknown;
  readonly pictures?: readonly string[];
}

export function defineCompare(program: CAC): void {
  program
    .command('compare <...runs>', 'compare finished runs; runs that differ in the seed alone are one row')
    .option(
      '--pictures <page.html>',
      'draw what two detectors find in the same images, those where they differ first',
      {
        type: [String],
      },
    )
    .option('--images <count>', 'with --pictures: number of images', { default: 40 })
    .option('--json', 'print the comparison as one line of JSON')
    .action(async (runs: readonly string[], { json, images, pictures }: CompareFlags) => {
      const { compare } = await import('../compare.js');
      await compare(runs, { json, images: wholeNumber('--images', images, 1), pictures: pictures?.at(-1) });
    });
}

export function defineVerifyFreeze(program: CAC): void {
  program
    .command('verify-freeze <run>', "check a run's checkpoints against its freeze receipt, byte for byte")
    .option('--json', 'print the verdict as one line of JSON')
    .action(async (directory: string, options: { json?: boolean }) => {
      const { verifyFreezeCommand } = await import('../verifyFreeze.js');
      if (!(await verifyFreezeCommand(directory, options))) throw new NegativeResult();
    });
}
