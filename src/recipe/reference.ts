import { stringify } from 'yaml';
import { expected, properties, recipeOption, type Option } from './options.js';

/** docs/recipe.md, written from the schema: every option with its values, its default and what it does. */
export function recipeReference(): string {
  return `# Recipe reference

<!-- Written from src/recipe/schema.ts by src/recipe/reference.ts; test/recipe/reference.test.ts says how. -->

A recipe is a YAML file; \`finetune recipe.yaml\` runs it. Every option stands below, and a key that does not is an error.

- \`extends: other.yaml\` starts from another recipe (its path is relative to this one): maps merge key by key, everything
  else replaces. It is the only key that is not an option of the run.
- \`--set train.epochs=12\` sets an option on the command line, as often as you like; the value is YAML
  (\`--set 'data.categories=[cat, dog]'\`, \`--set data.augment=false\`).
- A relative \`data.root\`, or \`file:\` in \`model.weights\`, counts from the folder of the recipe it stands in. Given by
  \`--set\`, it counts from the current directory, as every path you type does.
- The run directory holds the recipe with every default written out (\`recipe.yaml\`); running that repeats the run.

${sections('', recipeOption).join('\n')}`;
}

/** The sections for a map of options: its table, then every map inside. `when` tells which choice it belongs to. */
function sections(path: string, option: Option, when = ''): string[] {
  const heading = path === '' ? '' : `## \`${path}\`${when}\n\n${option.description ?? ''}\n`;
  if (!option.oneOf) return optionSections(path, `${heading}\n`, properties(option), option.required, when);
  return [heading, ...choiceSections(path, option.oneOf, when)];
}

/** Maps told apart by a literal, `format: voc` say: what each has of its own, then what they share. */
function choiceSections(path: string, branches: readonly Option[], outer: string): string[] {
  const isShared = ([name, inner]: [string, Option]) =>
    inner.const === undefined &&
    branches.every((branch) => JSON.stringify(branch.properties?.[name]) === JSON.stringify(inner));
  const choices = branches.flatMap((branch) => {
    const own = properties(branch).filter((entry) => !isShared(entry));
    const [key, literal] = own.find(([, { const: value }]) => value !== undefined)!;
    const when = `${outer === '' ? ' with' : `${outer},`} \`${key}: ${expected(literal)}\``;
    const standard = literal.default === undefined ? '' : ', the default';
    const heading = `${path === '' ? '# A recipe' : `## \`${path}\``}${when}${standard}\n\n${literal.description ?? ''}\n\n`;
    const rest = own.filter(([name]) => name !== key);
    return optionSections(path, heading, rest, branch.required, when);
  });
  const shared = properties(branches[0]!).filter(isShared);
  const all = path === '' ? '# Every recipe' : `## \`${path}\`${outer}${outer === '' ? ' with' : ','} any of them`;
  return [...choices, ...optionSections(path, `${all}\n\n`, shared, [], outer)];
}

function optionSections(
  path: string,
  heading: string,
  options: readonly [string, Option][],
  required: readonly string[] = [],
  when = '',
): string[] {
  const rows = options.map(([name, inner]) => {
    const standard = required.includes(name) ? '**required**' : defaultOf(inner);
    return `| \`${name}\` | ${[expected(inner), standard, inner.description ?? ''].map(cell).join(' | ')} |\n`;
  });
  const table = `${heading}| option | value | default | |\n| --- | --- | --- | --- |\n${rows.join('')}`;
  const inside = options.flatMap(([name, inner]) => {
    const isMap = ({ properties, oneOf }: Option): boolean => (properties ?? oneOf) !== undefined;
    const map = [inner, ...(inner.anyOf ?? [])].find(isMap);
    const list = inner.items as Option | undefined;
    const description = inner.description ?? '';
    const place = path ? `${path}.${name}` : name;
    if (map) return sections(place, { ...map, description }, when);
    return list && isMap(list) ? sections(`${place}[]`, { ...list, description }, when) : [];
  });
  return [rows.length > 0 ? table : heading.replace(/\n$/, ''), ...inside];
}

function defaultOf({ default: value }: Option): string {
  if (value === undefined) return '–';
  if (JSON.stringify(value) === '{}') return 'see below';
  return `\`${stringify(value, { collectionStyle: 'flow' }).trim()}\``;
}

const cell = (text: string) => text.replaceAll('|', '\\|');
