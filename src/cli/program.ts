import { existsSync } from 'node:fs';
import { cac, type CAC } from 'cac';
import { didYouMean } from '../didYouMean.js';
import { FinetuneError } from '../errors.js';
import { readError } from '../files/disk.js';
import { maskSecrets } from '../maskSecrets.js';
import { printable } from '../printable.js';
import { ownVersion } from '../run/versions.js';
import { defineBench } from './commands/bench.js';
import { defineBundle, defineVerify } from './commands/bundle.js';
import { defineCompletion } from './commands/completion.js';
import { defineAnchors, defineCheck, defineConvert, defineScore, defineSynth } from './commands/data.js';
import { defineExport } from './commands/export.js';
import { defineInit } from './commands/init.js';
import { defineLaunch } from './commands/launch.js';
import { defineDoctor, defineModels, defineSetup, defineWeights } from './commands/models.js';
import { definePredict, STDIN_ARGUMENT } from './commands/predict.js';
import { defineCompare, defineEval, defineTrain, defineVerifyFreeze } from './commands/runs.js';
import { defineServe } from './commands/serve.js';
import { defineLrFind, defineOverfit, defineSweep } from './commands/trials.js';
import { Stopped } from './interrupt.js';
import { LOST, Reported, UsageError } from './usage.js';

/** Exit codes that scripts rely on. A command that a signal stopped returns 128 + its number. */
const EXIT = { ok: 0, failed: 1, usage: 2, lost: LOST } as const;

/** The commands in the order of `finetune --help`. */
const COMMANDS = [
  defineTrain,
  defineLaunch,
  defineInit,
  defineEval,
  definePredict,
  defineExport,
  defineServe,
  defineBundle,
  defineVerify,
  defineBench,
  defineScore,
  defineLrFind,
  defineOverfit,
  defineSweep,
  defineCompare,
  defineVerifyFreeze,
  defineModels,
  defineSynth,
  defineCheck,
  defineConvert,
  defineAnchors,
  defineDoctor,
  defineSetup,
  defineWeights,
  defineCompletion,
] as const;

/** Runs the command line `argv`, without node and script, and returns the exit code. Errors go to stderr. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = cac('finetune');
  for (const define of COMMANDS) define(program);
  program.help().version(ownVersion());
  try {
    program.parse(['node', 'finetune', ...argv.map((word) => (word === '-' ? STDIN_ARGUMENT : word))], { run: false });
    if (program.options.help === true || program.options.version === true) return EXIT.ok;
    checkWords(program);
    await program.runMatchedCommand();
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Reported) return error.exitCode;
    console.error(printable(explain(error, program)));
    if (error instanceof Stopped) return error.exitCode;
    if (error instanceof FinetuneError && error.code === 'E_WORKERS_LOST') return EXIT.lost;
    return isUsage(error) ? EXIT.usage : EXIT.failed;
  }
}

/** Refuses a command that does not exist, which cac takes for the name of a recipe, and an option that is given twice. */
function checkWords({ args: [word, ...others], options, matchedCommand, commands }: CAC): void {
  for (const { name, config } of matchedCommand?.options ?? [])
    if (Array.isArray(options[name]) && !Array.isArray(config.type)) throw new UsageError(`--${name} is given twice`);
  if (matchedCommand?.name !== '') return;
  if (word === undefined) throw new UsageError('no recipe given');
  if (/[\\/]|\.ya?ml$/i.test(word) || existsSync(word)) return;
  const names = commands.map(({ name }) => name);
  const hint = didYouMean(word, names);
  const recipe = others.length === 0 ? ', and no recipe of that name' : '';
  throw new UsageError(`there is no command "${word}"${recipe}${hint ? `; ${hint}` : ''}`);
}

const isUsage = (error: unknown): boolean =>
  error instanceof FinetuneError
    ? /^E_(RECIPE|INIT|RUN|RESUME|EXTEND|SWEEP|COMPARE|ANCHOR|PREDICT)_|^E_(USAGE|MODEL_UNKNOWN|MODEL_PATH|EXPORT_OUT|WORKERS_PLACES|WORKERS_TRUST)$/.test(
        error.code,
      )
    : error instanceof Error && (error.name === 'CACError' || error.name === 'UsageError');

function explain(thrown: unknown, program: CAC): string {
  const error = readError(thrown);
  if (error instanceof FinetuneError) return error.message;
  if (error instanceof Stopped) return 'stopped: there was nothing to save';
  if (!(error instanceof Error)) return maskSecrets(`internal: ${String(error)}`);
  if (!isUsage(error)) return maskSecrets(`internal: ${error.stack ?? error.message}`);
  const flag = /^Unknown option `-*([^`]+)`/.exec(error.message)?.[1];
  const flags = program.matchedCommand?.options.map(({ name }) => `--${name}`) ?? [];
  const hint = flag === undefined ? undefined : didYouMean(`--${flag}`, flags);
  const message = error.message.replace(/^Unused args:/, 'unexpected argument');
  return `${maskSecrets(message)}${hint ? `, ${hint}` : ''}\nfinetune --help lists the commands and options   E_USAGE`;
}
