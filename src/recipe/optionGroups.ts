import { choosingName, expected, properties, type Option } from './options.js';

/** Where a group of options stands in a recipe. */
export interface Place {
  /** Dotted path, "train.lr"; a map in a list ends in [], "train.groups[]"; the recipe itself is "". */
  readonly path: string;
  /** The choices that lead there, "`format: coco`", or "" when the group is the same for all. */
  readonly choice: string;
  /** Two groups with the same key have the same options. */
  readonly key: string;
}

/** The options of one map, as the reference lists them under one heading. */
export interface Group extends Place {
  readonly description: string;
  readonly entries: readonly Entry[];
  /** The values of the option that chooses between maps, `data.format` for instance. */
  readonly choices: readonly Choice[];
}

export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly option: Option;
  readonly required: boolean;
  /** The groups of the options inside: one for each map that this option, or an item of its list, can be. */
  readonly inside: readonly Place[];
}

export interface Choice {
  readonly name: string;
  readonly option: Option;
  /** The group of the options that only this choice has. */
  readonly group: Group;
}

/** The groups of a map of options: its own options, then those of each choice, then those of every map inside. */
export function groupsOf(option: Option, path = '', choice = ''): Group[] {
  const place = { path, choice, key: keyOf(option) };
  const description = option.description ?? '';
  const { oneOf: branches } = option;
  if (!branches) {
    const entries = entriesOf(option, path, choice);
    return [{ ...place, description, entries, choices: [] }, ...groupsInside(entries)];
  }

  const name = choosingName(branches);
  const isShared = ({ name: shared, option: inner }: Entry) =>
    shared !== name &&
    branches.every((branch) => JSON.stringify(branch.properties?.[shared]) === JSON.stringify(inner));
  const shared = entriesOf(branches[0]!, path, choice).filter(isShared);
  const choices = branches.map((branch) => {
    const literal = branch.properties![name] as Option;
    const values = literal.enum ? `${literal.enum.slice(0, 3).map(String).join(', ')} …` : expected(literal);
    const chosen = joined(choice, `\`${name}: ${values}\``);
    const entries = entriesOf(branch, path, chosen).filter((entry) => !isShared(entry) && entry.name !== name);
    const group = { path, choice: chosen, key: keyOf(branch), description: '', entries, choices: [] };
    return { name, option: literal, group };
  });
  return [
    { ...place, description, entries: shared, choices },
    ...choices.flatMap(({ group }) => [group, ...groupsInside(group.entries)]),
    ...groupsInside(shared),
  ];
}

const groupsInside = (entries: readonly Entry[]): Group[] =>
  entries.flatMap(({ option, inside }) =>
    mapsIn(option).flatMap((map, index) => {
      const isOption = map === option || map === option.items; // else the option is explained, with all its forms, above
      const description = isOption ? (option.description ?? '') : '';
      return groupsOf({ ...map, description }, inside[index]!.path, inside[index]!.choice);
    }),
  );

const entriesOf = (map: Option, path: string, choice: string): Entry[] =>
  properties(map).map(([name, option]) => {
    const here = path === '' ? name : `${path}.${name}`;
    const maps = mapsIn(option);
    const inside = maps.map((inner) => ({
      path: inner === option.items ? `${here}[]` : here,
      choice:
        maps.length === 1 ? choice : joined(choice, (inner.required ?? []).map((key) => `\`${key}\``).join(' and ')),
      key: keyOf(inner),
    }));
    return { name, path: here, option, required: map.required?.includes(name) ?? false, inside };
  });

/** The maps that an option is, can be, or is a list of. */
function mapsIn(option: Option): Option[] {
  const isMap = ({ properties, oneOf }: Option): boolean => (properties ?? oneOf) !== undefined;
  return [option, ...(option.anyOf ?? []), ...(option.items ? [option.items as Option] : [])].filter(isMap);
}

const joined = (...choices: string[]): string => choices.filter((text) => text !== '').join(', ');
const keyOf = ({ properties, oneOf }: Option): string => JSON.stringify(properties ?? oneOf);
