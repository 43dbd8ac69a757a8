import { stringify } from 'yaml';
import { anchorOf, wrap } from '../markdown.js';
import type { Entry, Group, Place } from './optionGroups.js';
import { expected, type Option } from './options.js';

/** Links to the places where options and groups of options are explained. */
export interface Explained {
  readonly options: Map<string, string>;
  readonly groups: Map<string, string>;
}

/** Write groups of options as sections of the page `file`. What `explained` has becomes a link; what is new is added
 *  to it. */
export function optionPage(file: string, groups: readonly Group[], explained: Explained): string {
  const here = groups.filter((group) => {
    if (explained.groups.has(group.key) || group.entries.length + group.choices.length === 0) return false;
    explained.groups.set(group.key, linkTo(file, group));
    return true;
  });
  const sections = here.map((group) =>
    [
      `## ${titleOf(group)}`,
      wrap(linked(group.description)),
      ...choices(file, group),
      ...entries(file, group, explained),
    ]
      .filter((text) => text !== '')
      .join('\n\n'),
  );
  return sections.join('\n\n');
}

function choices(file: string, group: Group): string[] {
  if (group.choices.length === 0) return [];
  const items = group.choices.map(({ option, group: { entries, ...place } }) => {
    const standard = option.default === undefined ? '' : ' (the default)';
    const own = entries.length === 0 ? '' : ` [Its options](${anchor(file, place)}).`;
    return item(`${valuesOf(option)}${standard}: ${linked(option.description ?? '')}${own}`);
  });
  const name = `\`${group.choices[0]!.name}\``;
  return [`${name} is one of:`, items.join('\n'), group.entries.length > 0 ? `With every ${name}:` : ''];
}

/** The values that choose a form: each by itself where there are several. */
const valuesOf = (option: Option): string =>
  (option.enum ?? [expected(option)]).map((value) => `\`${String(value)}\``).join(', ');

function entries(file: string, group: Group, explained: Explained): string[] {
  const fresh = group.entries.filter((entry) => !explained.options.has(identity(entry)));
  const elsewhere = new Map<string, string[]>();
  for (const entry of group.entries.filter((one) => !fresh.includes(one))) {
    const place = explained.options.get(identity(entry))!;
    elsewhere.set(place, [...(elsewhere.get(place) ?? []), `\`${entry.name}\`${entry.required ? ' (required)' : ''}`]);
  }
  for (const entry of fresh) explained.options.set(identity(entry), linkTo(file, group));
  return [
    ...fresh.map((entry) => explain(file, entry, explained)),
    ...[...elsewhere].map(([place, names]) => wrap(`Explained in ${place}: ${names.join(', ')}.`)),
  ];
}

/** An option: its values, its default and an example in one line, then what it does and when to change it. */
function explain(file: string, { name, option, required, inside }: Entry, explained: Explained): string {
  const places = inside.map((group) => explained.groups.get(group.key)!);
  const isMap = (option.properties ?? option.oneOf) !== undefined;
  const example = exampleOf(option);
  const facts = isMap
    ? [...(required ? ['required'] : []), `a map of options: ${places.join(', ')}`]
    : [
        required ? 'required' : defaultOf(option),
        `${expected(option)}${places.length === 0 ? '' : ` (${places.join(', ')})`}`,
        ...(example === undefined ? [] : [`example: \`${name}: ${inline(example)}\``]),
      ];
  const sentences = [option.description, option.when]
    .filter((part) => typeof part === 'string')
    .map(linked)
    .join(' ');
  const hasSection = isMap && places[0] === linkTo(file, inside[0]!); // which begins with the description
  const text = hasSection || sentences === '' ? [] : [`  ${wrap(sentences, '  ')}`];
  return [item([`**\`${name}\`**`, ...facts].join(' · ')), ...text].join('\n\n');
}

/** An option's example: its own, or a value other than the default where the schema lists the values. */
export function exampleOf(option: Option): unknown {
  if (option.example !== undefined) return option.example;
  if (option.const !== undefined) return option.const;
  if (option.type === 'boolean') return option.default !== true;
  return option.enum?.find((value) => value !== option.default);
}

function defaultOf({ default: value }: Option): string {
  if (value === undefined) return 'optional';
  return JSON.stringify(value) === '{}' ? 'on by default' : `default: \`${inline(value)}\``;
}

/** Make links of the files that a description names. */
const linked = (text: string): string =>
  text.replace(
    /\b(docs\/|datasets\/)([\w-]+\.md)\b/g,
    (path, folder, name) => `[${path}](${folder === 'docs/' ? '' : '../datasets/'}${name})`,
  );
const inline = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
const item = (text: string): string => `- ${wrap(text, '  ')}`;
const identity = ({ name, option }: Entry): string => `${name} ${JSON.stringify(option)}`;
const titleOf = ({ path, choice }: Omit<Place, 'key'>): string =>
  `${path === '' ? 'Top level' : `\`${path}\``}${choice === '' ? '' : ` with ${choice}`}`;
const anchor = (file: string, place: Omit<Place, 'key'>): string => `${file}#${anchorOf(titleOf(place))}`;
const linkTo = (file: string, place: Omit<Place, 'key'>): string => `[${titleOf(place)}](${anchor(file, place)})`;
