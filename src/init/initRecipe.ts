import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FinetuneError } from '../errors.js';
import { parseRecipe } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { chooseTask } from './chooseTask.js';
import { describeFindings } from './describe.js';
import { dataSettings, openDraft } from './draft.js';
import { factsOf, type DataFacts } from './facts.js';
import { recognise, taskOf, type Recognised } from './recognise.js';
import { renderRecipe } from './render.js';
import type { InitOptions } from './options.js';
import { setting, withSet, type Setting } from './setting.js';

export interface InitResult {
  readonly text: string;
  readonly recipe: Recipe;
  readonly recognised: Recognised;
  readonly facts: DataFacts;
  readonly settings: readonly Setting[];
  /** What was found and decided, for people. */
  readonly lines: readonly string[];
}

/** Looks at a folder of labelled images and makes a recipe for it, which opens and trains as it stands.
 *  Throws E_INIT_LAYOUT, E_INIT_AMBIGUOUS, and what is wrong with the data. */
export async function initRecipe(folder: string, options: InitOptions): Promise<InitResult> {
  const { file } = options;
  const recognised = await recognise(folder, options);
  const { format, kind, why } = recognised.chosen;
  const task = taskOf(kind);
  const draft = [setting('task', task), ...dataSettings(recognised, file)];
  const opened = await openDraft(draft, options).catch((error: unknown) => {
    options.onProgress?.({ message: `${folder} was taken for ${format}, because ${why}` });
    throw error instanceof FinetuneError ? asked(error) : error;
  });
  const facts = factsOf(opened.data);
  const settings = [...opened.settings, ...(await chooseTask(task, { ...opened, facts }, options))];
  const lines = describeFindings(recognised, facts, settings);
  const command = `finetune ${relative('.', file) || file}`;
  const schema = relative(dirname(resolve(file)), SCHEMA).replaceAll('\\', '/');
  const head = [
    `yaml-language-server: $schema=${schema}`,
    `Written by finetune init for ${basename(resolve(folder))}.`,
    '',
    `  ${command}`,
    '',
    ...lines,
  ];
  const text = renderRecipe(
    withSet(settings, options.set ?? []),
    head.map((line) => line.replaceAll('\n', ' ')),
  );
  return {
    text,
    recipe: await parseRecipe(text, file, { set: options.set ?? [] }),
    recognised,
    facts,
    settings,
    lines,
  };
}

/** The recipe as JSON Schema, in this package; editors read it. */
const SCHEMA = fileURLToPath(new URL('../../schema/recipe.json', import.meta.url));

/** The error with the options of init in the place of those of a recipe, which is not written yet. */
const asked = (error: FinetuneError): FinetuneError =>
  new FinetuneError(
    error.problems.map((problem) => ({
      ...problem,
      ...(problem.fix !== undefined && {
        fix: problem.fix
          .replace(/data\.layout: /g, '--layout ')
          .replace(/(?:set )?(data(?:\.\w+)+): (\w+)/g, 'add --set $1=$2'),
      }),
    })),
    { cause: error },
  );
