import { wrap } from '../markdown.js';
import { groupsOf, type Entry, type Group } from './optionGroups.js';
import { optionPage, type Explained } from './optionPage.js';
import { properties, recipeOption, type Option } from './options.js';

const NOTE =
  '<!-- Generated from the schema of recipes. To change this page, edit the schema and run: npm run docs:recipe -->';

/** docs/recipe.md and one page for each task, written from the schema: file names in docs/ and their texts. */
export function recipePages(): Record<string, string> {
  const tasks = recipeOption.oneOf!;
  const shared = sharedGroups(tasks.map((task) => groupsOf(task)));
  const explained: Explained = { options: new Map(), groups: new Map() };
  const pages = { 'recipe.md': sharedPage(tasks, optionPage('recipe.md', shared, explained)) };
  for (const task of tasks) {
    const file = fileOf(task);
    const before = { options: new Map(explained.options), groups: new Map(explained.groups) };
    Object.assign(pages, { [file]: taskPage(task, optionPage(file, groupsOf(withoutTask(task)), before)) });
  }
  return pages;
}

/** The options that every task has, whatever else its recipe chooses, as groups of the first task. */
function sharedGroups(tasks: readonly (readonly Group[])[]): Group[] {
  const identity = ({ path, option }: Entry) => `${path} ${JSON.stringify(option)}`;
  const inTasks = tasks.map((groups) => new Set(groups.flatMap(({ entries }) => entries.map(identity))));
  const independent = tasks[0]!.filter(({ choice }) => choice === '');
  return independent.map((group) => {
    const entries = group.entries.filter((entry) => inTasks.every((known) => known.has(identity(entry))));
    const isWhole = entries.length === group.entries.length && group.choices.length === 0;
    return { ...group, entries, choices: [], key: isWhole ? group.key : `shared ${group.path}` };
  });
}

const literalOf = (task: Option): Option => task.properties!.task as Option;
const fileOf = (task: Option): string => `recipe-${String(literalOf(task).const)}.md`;

const withoutTask = (task: Option): Option => ({
  ...task,
  properties: Object.fromEntries(properties(task).filter(([name]) => name !== 'task')),
});

function sharedPage(tasks: readonly Option[], options: string): string {
  const pages = tasks.map((task) => {
    const { const: name, description } = literalOf(task);
    return `- [\`task: ${String(name)}\`](${fileOf(task)}): ${description ?? ''}`;
  });
  return `# Recipes

${NOTE}

After reading this page you can read and write a recipe: a YAML file that says what to learn from, what to start from
and how to train. \`npx finetune recipe.yaml\` runs it. The options that every recipe has are explained here; those that
depend on the task have a page each:

${pages.join('\n')}

## How to write a recipe

- Start from one in [recipes/](../recipes). Only \`task\` and \`data\` are required; every other option has a default. A key
  that does not exist is an error, and all mistakes are listed at once with file, line and column.
- \`extends: other.yaml\` starts from another recipe, whose path is relative to this one. Maps are merged key by key;
  everything else is replaced. \`extends\` is the only key that is not an option of the run.
- \`--set train.epochs=12\` sets an option on the command line, as often as you like. The value is YAML:
  \`--set 'data.categories=[cat, dog]'\`, \`--set data.augment=false\`. A map replaces the one of the recipe:
  \`--set 'train.optimizer={name: adamw}'\`. \`--set model.weights=null\` takes an option out of the recipe, so that it has
  its default.
- A relative \`data.root\`, and a relative \`file:\` in \`model.weights\`, start at the folder of the recipe. Given by
  \`--set\`, they start at the current directory, as every path that you type does.
- The run directory has the recipe with every default written out, \`recipe.yaml\`. Running that file repeats the run.

## How to read the options

A dot separates a map from an option inside it: \`train.lr.value\` is

\`\`\`yaml
train:
  lr:
    value: 0.02
\`\`\`

Each option has its default, the values that it takes and an example, then what it does and when to change it.

${options}
`;
}

function taskPage(task: Option, options: string): string {
  const { const: name, description } = literalOf(task);
  return `# Recipes with \`task: ${String(name)}\`

${NOTE}

${wrap(`After reading this page you know the options that only recipes with \`task: ${String(name)}\` have. [recipe.md](recipe.md) explains how to read them, and has the options of every recipe.`)}

${wrap(description ?? '')}

${options}
`;
}
