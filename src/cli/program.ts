import { readFileSync } from 'node:fs';
import { cac, type CAC } from 'cac';
import { didYouMean } from '../didYouMean.js';
import { FinetuneError } from '../errors.js';
import { maskSecrets } from '../maskSecrets.js';
import { defineAnchors, defineCheck, defineScore, defineSynth } from './commands/data.js';
import { defineDoctor, defineModels, defineSetup, defineWeights } from './commands/models.js';
import { defineCompare, defineEval, defineTrain, defineVerifyFreeze } from './commands/runs.js';
import { defineLrFind, defineOverfit, defineSweep } from './commands/trials.js';
import { NegativeResult, UsageError } from './usage.js';

/** Exit codes that scripts rely on. */
const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** The commands in the order of `finetune --help`. */
const COMMANDS = [
  defineTrain,
  defineEval,
  defineScore,
  defineLrFind,
  defineOverfit,
  defineSweep,
  defineCompare,
  defineVerifyFreeze,
  defineModels,
  defineSynth,
  defineCheck,
  defineAnchors,
  defineDoctor,
  defineSetup,
  defineWeights,
] as const;

/** Runs the command line `argv`, without node and script, and returns the exit code. Errors go to stderr. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = cac('finetune');
  for (const define of COMMANDS) define(program);
  program.help().version(version());
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

const isUsage = (error: unknown): boolean =>
  error instanceof FinetuneError
    ? /^E_(RECIPE|RUN|RESUME|EXTEND|SWEEP|COMPARE|ANCHOR)_|^E_MODEL_UNKNOWN$/.test(error.code)
    : error instanceof Error && (error.name === 'CACError' || error.name === 'UsageError');

function explain(error: unknown, program: CAC): string {
  if (error instanceof FinetuneError) return error.message + commandHint(error, program);
  if ((error as Partial<Error>).name === 'AbortError') return 'stopped before there was anything to save';
  if (!(error instanceof Error)) return maskSecrets(`internal: ${String(error)}`);
  if (!isUsage(error)) return maskSecrets(`internal: ${error.stack ?? error.message}`);
  const flag = /^Unknown option `-*([^`]+)`/.exec(error.message)?.[1];
  const flags = program.matchedCommand?.options.map(({ name }) => `--${name}`) ?? [];
  const hint = flag === undefined ? undefined : didYouMean(`--${flag}`, flags);
  return `${maskSecrets(error.message)}${hint ? `, ${hint}` : ''}\nfinetune --help lists the commands and options   E_USAGE`;
}

/** A mistyped command is read as the name of a recipe: the hint names the command that was probably meant. */
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
