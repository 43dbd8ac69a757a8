import { z } from 'zod';
import type { Path } from './located.js';
import { recipeSchema } from './schema.js';

/** An option as JSON Schema, for error messages and for docs/recipe*.md. */
export type Option = z.core.JSONSchema.BaseSchema;

export const recipeOption: Option = z.toJSONSchema(recipeSchema, { io: 'input' });

/** The forms that an option can take, for example `false | {flip, …}`. Where a literal such as `data.format` chooses
 *  between them, only the form that `value` or the default chooses. */
function forms(option: Option, value: unknown): Option[] {
  const branches = option.oneOf ?? option.anyOf;
  if (!branches) return [option];
  if (!option.oneOf) return branches;
  const name = choosingName(branches);
  return branches.filter((branch) => {
    const option = branch.properties?.[name] as Option | undefined;
    const chosen = member(value, name) ?? option?.default;
    return option !== undefined && (option.const === chosen || (option.enum ?? []).includes(chosen as string));
  });
}

/** The name of the option that chooses between maps: the one that has a single value in one of them, such as
 *  `data.format`; another map may list several. */
export const choosingName = (branches: readonly Option[]): string =>
  branches.flatMap(properties).find(([, { const: literal }]) => literal !== undefined)![0];

const member = (value: unknown, key: PropertyKey): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;

export const properties = (option: Option) => Object.entries(option.properties ?? {}) as [string, Option][];

/** The options inside the option at `path` of a recipe with this raw `value`. */
export function optionsAt(path: Path, value: unknown): [string, Option][] {
  const [inside, rest] = walk(path, value);
  return inside.flatMap((option) => forms(option, rest)).flatMap(properties);
}

/** The option at `path` of a recipe with this raw `value`, or of other options, if there is one. */
export const optionAt = (path: Path, value: unknown, of = recipeOption): Option | undefined =>
  walk(path, value, of)[0][0];

function walk(path: Path, value: unknown, of = recipeOption): [options: Option[], value: unknown] {
  let options = [of];
  let rest = value;
  for (const part of path) {
    options = options
      .flatMap((option) => forms(option, rest))
      .flatMap((form) => {
        const item = form.prefixItems?.[Number(part)] ?? form.items;
        const next = form.properties?.[String(part)] ?? (item as Option | undefined);
        return typeof next === 'object' ? [next] : [];
      });
    rest = member(rest, part);
  }
  return [options, rest];
}

/** The dotted path of every option, groups included: train, train.epochs, train.lr.value … */
export function allPaths(option: Option = recipeOption, prefix = ''): string[] {
  const branches = option.oneOf ?? option.anyOf ?? [option];
  const paths = branches
    .flatMap(properties)
    .flatMap(([name, inner]) => [prefix + name, ...allPaths(inner, `${prefix}${name}.`)]);
  return [...new Set(paths)];
}

/** The values that an option takes, as words that follow "must be": "a whole number, at least 1". */
export function expected(option: Option): string {
  if (typeof option.expects === 'string') return option.expects;
  if (option.const !== undefined) return String(option.const);
  if (option.enum) return `${option.enum.length > 1 ? 'one of ' : ''}${option.enum.map(String).join(', ')}`;
  const branches = option.anyOf;
  if (branches) return [...new Set(branches.map(expected))].join(', or ');
  if (Array.isArray(option.type)) {
    return option.type.map((type) => (type === 'null' ? 'null' : expected({ ...option, type }))).join(', or ');
  }
  switch (option.type) {
    case 'integer':
      return `a whole number${range(option)}`;
    case 'number':
      return `a number${range(option)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    case 'array':
      return `a list of ${listed(option.items as Option | undefined)}`;
    case 'null':
      return 'null';
    default:
      return 'a map of options';
  }
}

const listed = (items: Option | undefined): string =>
  items ? (items.properties ? 'maps of options' : expected(items)) : 'values';

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Option): string {
  const top = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum; // z.int() sets it, and it tells a person nothing
  if (minimum !== undefined && top !== undefined) return ` from ${minimum} to ${top}`;
  if (minimum !== undefined && exclusiveMaximum !== undefined) return ` from ${minimum} to below ${exclusiveMaximum}`;
  if (minimum !== undefined) return `, at least ${minimum}`;
  return exclusiveMinimum === undefined ? '' : ` above ${exclusiveMinimum}`;
}
