import { readFileSync } from 'node:fs';
import { cac, type CAC } from 'cac';
import { FinetuneError } from '../errors.js';
import { didYouMean } from '../didYouMean.js';
import type { AnchorsCommand } from './anchors.js';
import type { CheckCommand } from './check.js';
import type { EvalCommand } from './eval.js';
import type { ModelsCommand } from './models.js';
import type { ScoreCommand } from './score.js';
import type { TrainCommand } from './train.js';
import type { TrialCommand } from './trials.js';
import type { WeightsCommand } from './weights.js';

/** What scripts can rely on. */
const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
const ENGINES = ['auto', 'tensorflow-gpu', 'tensorflow', 'wasm'] as const;
const SOURCES = ['cache', 'google', 'pip'] as const;

/** Run the command line `argv`, without node and script, and return the exit code; says on stderr what went wrong. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    program.parse(['node', 'finetune', ...argv], { run: false });
    if (program.options.help === true || program.options.version === true) return EXIT.ok;
    if (program.args.length === 0 && program.matchedCommand?.name === '') throw new UsageError('no recipe given');
    await program.runMatchedCommand();
    return EXIT.ok;
  } catch (error) {
    if (error instanceof NegativeResult) return EXIT.failed;
    console.error(explain(error, program));
    return isUsage(error) ? EXIT.usage : EXIT.failed;
  }
}

function createProgram(): CAC {
  const program = cac('finetune');
  program
    .command('<recipe.yaml>', 'run a recipe: train, evaluate, report')
    .usage(
      '<recipe.yaml> [--set key=value …] [--out DIR] [--engine E] [--resume | --extend EPOCHS | --dry-run] [--json]',
    )
    .option('--set <key=value>', 'set an option of the recipe, repeatable: --set train.epochs=12', { type: [String] })
    .option('--out <dir>', 'the run directory (default: a new one in the folder that the recipe names: out)')
    .option('--engine <engine>', `${ENGINES.join(', ')} (recipe: engine)`)
    .option('--resume', 'go on with the stopped run in --out')
    .option('--extend <epochs>', 'train the finished run in --out for so many epochs more')
    .option('--dry-run', 'one step of everything, then a forecast of time, memory and disk; leaves nothing behind')
    .option('--json', 'print the metrics as one line of JSON before the run directory')
    .action(async (recipe: string, { out, ...options }: TrainOptions) => {
      const { resume, extend } = options;
      if (options.dryRun && (resume || extend !== undefined)) throw new UsageError('--dry-run is for a new run, without --resume and --extend'); // prettier-ignore
      if (resume && extend !== undefined)
        throw new UsageError(
          '--resume goes on with a stopped run and --extend with a finished one: choose one of them',
        );
      const verb = resume ? '--resume' : extend === undefined ? undefined : '--extend';
      if (verb && out === undefined) throw new UsageError(`${verb} needs --out: the run to go on with`);
      if (extend !== undefined && !(Number.isInteger(extend) && extend > 0))
        throw new UsageError(`--extend takes a number of epochs; got "${extend}"`);
      const { train } = await import('./train.js'); // lazily, like every command: `score` is done before zod would be loaded
      await train(recipe, { ...options, out: out === undefined ? out : String(out) });
    });
  program
    .command('eval <run-or-recipe>', "score a run's best checkpoint, or a recipe's starting weights")
    .option('--weights <uri>', 'other weights: file:… or npm:…')
    .option('--set <key=value>', 'set an option of the recipe, repeatable', { type: [String] })
    .option('--engine <engine>', ENGINES.join(', '))
    .option('--json', 'print the score as one line of JSON')
    .action(async (path: string, options: EvalCommand) => {
      const { evaluate } = await import('./eval.js');
      await evaluate(path, options);
    });
  program
    .command('score <metric>', 'score results of any program: coco, voc or icdar')
    .usage('score coco|voc|icdar --gt PATH --dt PATH [options]')
    .option('--gt <path>', 'ground truth: COCO json, VOC folder, ICDAR zip or folder', { type: [String] })
    .option('--dt <path>', 'results: json, comp4 folder (voc), zip or folder (icdar)', { type: [String] })
    .option('--iou-type <kind>', 'coco: bbox (default), segm, keypoints', { type: [String] })
    .option('--split <name>', 'voc: a list in ImageSets/Main', { type: [String] })
    .option('--year <year>', 'voc: 2007 (11 recalls, default) or 2012 (area)', { type: [String] })
    .option('--protocol <name>', 'icdar: iou (2015) or deteval (2013)', { type: [String] })
    .option('--report <dir>', 'write a report with curves, classes and images to this folder', { type: [String] })
    .option('--bootstrap <samples>', 'a 95 % interval over images, 1000 samples say', { type: [String] })
    .option('--json', 'print the score as one line of JSON')
    .action(async (metric: string, options: Readonly<Record<string, unknown>>) => {
      const { score } = await import('./score.js');
      await score(metric, lastOfEach(options), (message) => new UsageError(message));
    });
  program
    .command('lr-find <recipe.yaml>', 'suggest a learning rate, from some steps at rising rates')
    .option('--set <key=value>', 'set an option of the recipe, repeatable', { type: [String] })
    .option('--steps <n>', 'steps, 100 unless told')
    .option('--out <dir>', 'folder for lr-find.html, the current one unless told', { type: [String] })
    .option('--json', 'print the curve as one line of JSON')
    .action(async (recipe: string, { out, ...options }: TrialCommand & { out?: readonly string[] }) => {
      const { lrFind } = await import('./trials.js');
      const folder = out?.at(-1);
      await lrFind(recipe, {
        ...options,
        steps: counted('steps', options.steps, 10),
        ...(folder !== undefined && { out: folder }),
      });
    });
  program
    .command(
      'overfit <recipe.yaml>',
      'learn a few images by heart; a model that cannot has a bug, and it says where to look',
    )
    .option('--n <images>', 'how many images, 10 unless told')
    .option('--steps <n>', 'steps, 200 unless told')
    .option('--set <key=value>', 'set an option of the recipe, repeatable', { type: [String] })
    .option('--json', 'print the result as one line of JSON')
    .action(async (recipe: string, options: TrialCommand & { n?: number }) => {
      const { overfitCommand } = await import('./trials.js');
      const counts = { steps: counted('steps', options.steps, 10), n: counted('n', options.n, 1) };
      if (!(await overfitCommand(recipe, { ...options, ...counts }))) throw new NegativeResult();
    });
  program
    .command('sweep <recipe.yaml>', 'run a recipe with every combination of some values, and compare')
    .usage('sweep <recipe.yaml> --over key=value,value [--over …] [--seeds N] [--random N] [--parallel N] [--out DIR]')
    .option('--over <key=values>', 'values to try, repeatable: --over train.lr.value=0.01,0.03', { type: [String] })
    .option('--seeds <n>', 'runs of each setting, with different seeds', { default: 1 })
    .option('--random <n>', 'so many settings of the grid, drawn at random')
    .option('--parallel <n>', 'processes at a time', { default: 1 })
    .option('--set <key=value>', 'set an option in all runs, repeatable', { type: [String] })
    .option('--out <dir>', 'the sweep directory; the same command goes on with a stopped sweep')
    .option('--json', 'print the comparison as one line of JSON')
    .action(async (recipe: string, options: SweepFlags) => {
      const { over = [], set = [], out, seeds, random, parallel, json = false } = options;
      if (over.length === 0) throw new UsageError('sweep needs --over key=value,value');
      const counts = { seeds, parallel, ...(random !== undefined && { random }) };
      for (const [name, value] of Object.entries(counts))
        if (!(Number.isInteger(value) && value > 0)) throw new UsageError(`--${name} takes a number; got "${value}"`);
      const { sweep } = await import('./sweep.js');
      const command = { over, set, seeds, random, parallel, json, out: out === undefined ? out : String(out) };
      if (!(await sweep(recipe, command))) throw new NegativeResult();
    });
  program
    .command('compare <...runs>', 'compare finished runs; seeds of one recipe are one row')
    .option('--json', 'print the comparison as one line of JSON')
    .action(async (runs: readonly string[], options: { json?: boolean }) => {
      const { compare } = await import('./compare.js');
      await compare(runs, options);
    });
  program
    .command('verify-freeze <run>', "hold a run's checkpoints against its freeze receipt, byte for byte")
    .option('--json', 'print the verdict as one line of JSON')
    .action(async (directory: string, options: { json?: boolean }) => {
      const { verifyFreezeCommand } = await import('./verifyFreeze.js');
      if (!(await verifyFreezeCommand(directory, options))) throw new NegativeResult();
    });
  program
    .command(
      'models [name-or-recipe]',
      'every backbone: parameters, MACs, stages, published figures; or that of a recipe',
    )
    .option('--json', 'print them as one line of JSON')
    .option('--latency', 'measure inference of one image, stage by stage')
    .option('--against <name>', "set it beside this one (a recipe's: beside the nearest in MACs)")
    .option('--markdown', 'print docs/models.md')
    .action(async (name: string | undefined, options: ModelsCommand) => {
      if (name === undefined && (options.latency || options.against !== undefined))
        throw new UsageError('--latency and --against need a name or a recipe');
      const { models } = await import('./models.js');
      await models(name, options);
    });
  program
    .command('synth', 'draw images with text, their character boxes, and a page to look at them')
    .option('--out <dir>', 'the folder (default: synth)', { type: [String], default: ['synth'] })
    .option('--images <count>', 'how many', { default: 24 })
    .option('--side <pixels>', 'of the square images', { default: 768 })
    .option('--seed <number>', 'another seed gives other images', { default: 1 })
    .option('--photos <dir>', 'photos without text to write on (default: drawn backdrops)', { type: [String] })
    .option('--json', 'print the counts as one line of JSON before the page')
    .action(async ({ images, side, seed, json = false, ...paths }: SynthFlags) => {
      const whole = (flag: string, value: unknown, least: number): number => {
        if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
        throw new UsageError(`${flag} is a whole number, at least ${least}; got "${String(value)}"`);
      };
      const counts = {
        images: whole('--images', images, 1),
        side: whole('--side', side, 64),
        seed: whole('--seed', seed, 0),
      };
      const { synth } = await import('./synth.js');
      await synth({ ...counts, json, out: paths.out.at(-1)!, photos: paths.photos?.at(-1) });
    });
  program
    .command(
      'check <recipe.yaml>',
      'look at everything in the data before training: exit code 1 if it cannot be trained on',
    )
    .option('--augment', 'write a page with images as the model sees them, with their boxes')
    .option('--out <file>', "the page (default: named after the recipe, in the recipe's out)", { type: [String] })
    .option('--set <key=value>', 'set an option of the recipe, repeatable', { type: [String] })
    .option('--json', 'print the findings as one line of JSON')
    .action(async (recipe: string, { out, ...options }: CheckOptions) => {
      const { check } = await import('./check.js');
      if (!(await check(recipe, { ...options, out: out?.at(-1) }))) throw new NegativeResult();
    });
  program
    .command('anchors <recipe.yaml>', 'fit anchors to the training boxes and print them as a block for the recipe')
    .option('--n <counts>', 'most anchors of a level: 6, or one number for each, finest first: 3,6,6,6,6,6', {
      type: [String],
    })
    .option('--set <key=value>', 'set an option of the recipe, repeatable', { type: [String] })
    .option('--json', 'print anchors and recall ceilings as one line of JSON')
    .action(async (recipe: string, { n, ...options }: Omit<AnchorsCommand, 'n'> & { n?: readonly string[] }) => {
      const counts = n?.at(-1)?.split(',').map(Number);
      if (counts?.some((count) => !(Number.isInteger(count) && count >= 0)) || counts?.every((count) => count === 0))
        throw new UsageError(`--n takes whole numbers; got "${String(n!.at(-1))}"`);
      const { anchors } = await import('./anchors.js');
      await anchors(recipe, { ...options, n: counts });
    });
  program
    .command('doctor', 'show the engine in use, why no better one is, and how fast it is')
    .option('--engine <engine>', ENGINES.join(', '))
    .option('--json', 'print it as JSON')
    .action(async ({ engine = 'auto', json = false }: { engine?: string; json?: boolean }) => {
      const { doctor } = await import('./doctor.js');
      await doctor({ engine: oneOf('--engine', engine, ENGINES), json });
    });
  program
    .command('setup', 'give this installation its engine')
    .option('--retry', 'try again although the last try failed')
    .option('--source <source>', `replace the engine by one from: ${SOURCES.join(', ')}`)
    .action(async ({ retry = false, source }: { retry?: boolean; source?: string }) => {
      const { setup } = await import('./setup.js');
      await setup({ retry, source: source === undefined ? undefined : oneOf('--source', source, SOURCES) });
    });
  program
    .command('weights <uri>', 'list what a weights file holds: file: https: hf: npm: pip:, or a name of the catalog')
    .option('--json', 'print it as one line of JSON')
    .action(async (uri: string, options: WeightsCommand) => {
      const { weights } = await import('./weights.js');
      await weights(uri, options);
    });
  return program.help().version(version());
}

interface SynthFlags {
  readonly images: unknown;
  readonly side: unknown;
  readonly seed: unknown;
  readonly json?: boolean;
  readonly out: readonly string[];
  readonly photos?: readonly string[];
}

interface SweepFlags {
  readonly over?: readonly string[];
  readonly set?: readonly string[];
  readonly seeds: number;
  readonly random?: number;
  readonly parallel: number;
  readonly out?: string | number;
  readonly json?: boolean;
}

/** cac reads what looks like a number as one. */
type TrainOptions = Omit<TrainCommand, 'out'> & { readonly out?: string | number };

/** Options that are read as lists, so that cac leaves their text alone ("007"): the last value counts. */
const lastOfEach = (options: Readonly<Record<string, unknown>>): ScoreCommand =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]): [string, unknown] => [
      name,
      Array.isArray(value) ? value.at(-1) : value,
    ]),
  );

type CheckOptions = Omit<CheckCommand, 'out'> & { readonly out?: readonly string[] };

/** The command did its work and said so; the answer is no. */
class NegativeResult extends Error {
  override readonly name = 'NegativeResult';
}

/** The command line is wrong, not the work. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

function counted(flag: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= least)) return value;
  throw new UsageError(`--${flag} takes a whole number, at least ${least}; got "${value}"`);
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UsageError(`${flag} is one of ${allowed.join(', ')}; got "${value}"`);
}

const isUsage = (error: unknown): boolean =>
  error instanceof FinetuneError
    ? /^E_(RECIPE|RUN|RESUME|EXTEND|SWEEP|COMPARE|ANCHOR)_|^E_MODEL_UNKNOWN$/.test(error.code)
    : error instanceof Error && (error.name === 'CACError' || error.name === 'UsageError');

function explain(error: unknown, program: CAC): string {
  if (error instanceof FinetuneError) return error.message + commandHint(error, program);
  if ((error as Partial<Error>).name === 'AbortError') return 'stopped before there was anything to save';
  if (!(error instanceof Error)) return `internal: ${String(error)}`;
  if (!isUsage(error)) return `internal: ${error.stack ?? error.message}`;
  const flag = /^Unknown option `-*([^`]+)`/.exec(error.message)?.[1];
  const flags = program.matchedCommand?.options.map(({ name }) => `--${name}`) ?? [];
  const hint = flag === undefined ? undefined : didYouMean(`--${flag}`, flags);
  return `${error.message}${hint ? `, ${hint}` : ''}\nfinetune --help shows what there is   E_USAGE`;
}

/** A mistyped command is taken for a recipe that is not there. */
function commandHint({ code }: FinetuneError, { args, commands }: CAC): string {
  if (code !== 'E_RECIPE_NOT_FOUND') return '';
  const names = commands.map(({ name }) => name);
  const hint = didYouMean(args[0] ?? '', names);
  return hint ? `\n  the command: ${hint}` : '';
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url); // the same place from src/cli and from dist/cli
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
