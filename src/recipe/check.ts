import type { z } from 'zod';
import type { Problem } from '../errors.js';
import { didYouMean, nearest } from '../didYouMean.js';
import { entryAt, nearestEntry, toValue, type Entry, type Located, type Path } from './located.js';
import { allPaths, expected, optionAt, optionsAt, type Option } from './options.js';
import { rememberPlaces } from './places.js';
import { conflicts } from './rules.js';
import { recipeSchema, type Recipe } from './schema.js';
import { problemAt } from './span.js';

type Issue = z.core.$ZodIssue;

/** The recipe in `located`, or everything that is wrong with it. */
export function checkRecipe(located: Located): { recipe: Recipe } | { problems: Problem[] } {
  const written = toValue(located);
  const result = recipeSchema.safeParse(written);
  const [raw, faults] = result.success ? [written, []] : withTask(written, result.error.issues);
  const issues = faults.flatMap((issue) => flatten(issue));
  const problems = issues.flatMap((issue) => toProblems(issue, located, raw));

  const recipe = result.success ? result.data : withoutFaults(raw, issues);
  const entryOf = (path: string) => entryAt(located, path.split('.'));
  for (const { path, message, fix } of recipe ? conflicts(recipe, (path) => entryOf(path) !== undefined) : []) {
    problems.push(problemAt(nearestEntry(located, path.split('.')).key, { code: 'E_RECIPE_CONFLICT', message, fix }));
  }
  if (!result.success || problems.length > 0) return { problems };
  rememberPlaces(result.data, located);
  return { recipe: result.data };
}

/** The rest of a recipe cannot be checked without a task. If it is missing or wrong, the format of the data decides
 *  which one is assumed, so that all problems are reported at once. */
function withTask(written: unknown, issues: readonly Issue[]): [raw: unknown, issues: readonly Issue[]] {
  const wrong = issues.filter(({ path }) => path.length === 1 && path[0] === 'task');
  if (wrong.length === 0 || typeof written !== 'object' || written === null) return [written, issues];
  const format = (written as { data?: { format?: unknown } | null }).data?.format;
  const task = format === 'imageFolder' || format === 'csv' ? 'classification' : 'detection';
  const assumed = { ...written, task };
  return [assumed, [...wrong, ...(recipeSchema.safeParse(assumed).error?.issues ?? [])]];
}

/** Replaces an issue of a union such as `false | {flip, …}` by the issues of the form that was meant: the one that
 *  fails further inside, if there is only one such form. */
function flatten(issue: Issue, prefix: Path = []): Issue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.filter((branch) => branch.some((inner) => isInside(inner)));
    if (meant.length === 1) return meant[0]!.flatMap((inner) => flatten(inner, path));
  }
  return [{ ...issue, path }];
}

const isInside = (issue: Issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys';

function toProblems(issue: Issue, located: Located, raw: unknown): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, located, raw));

  const name = path.join('.');
  const entry = entryAt(located, path);
  const option = optionAt(path, raw);
  const options =
    issue.code === 'invalid_union' && 'options' in issue
      ? (issue.options as unknown[]).filter((one) => typeof one === 'string')
      : undefined;
  const allowed = options ? `one of ${options.join(', ')}` : option ? expected(option) : 'something else';
  if (!entry) {
    const fix = `add it: ${allowed}. ${options ? '' : (option?.description ?? '')}`.trim();
    return [
      problemAt(nearestEntry(located, path).key, {
        code: 'E_RECIPE_MISSING_KEY',
        message: `"${name}" is missing`,
        fix,
      }),
    ];
  }
  const subject = name ? `"${name}"` : 'a recipe';
  const message = `${subject} must be ${allowed}; got ${describe(entry)}`;
  const typed = entry.value.kind === 'scalar' ? entry.value.value : undefined;
  const hint = typeof typed === 'string' ? didYouMean(typed, options ?? names(option).map(String)) : undefined;
  const code = issue.code === 'invalid_type' ? 'E_RECIPE_TYPE' : 'E_RECIPE_VALUE';
  return [problemAt(entry.value.span, { code, message }, hint)];
}

/** The words that an option accepts, in any of its forms. */
const names = (option: Option | undefined): readonly unknown[] =>
  option?.enum ?? option?.anyOf?.flatMap((form) => form.enum ?? []) ?? [];

function unknownKey(path: Path, key: string, located: Located, raw: unknown): Problem {
  const known = optionsAt(path, raw).map(([name]) => name);
  const name = [...path, key].join('.');
  const message = `unknown key "${name}"`;
  const span = entryAt(located, [...path, key])!.key;
  const problem = { code: 'E_RECIPE_UNKNOWN_KEY', message } as const;
  if (nearest(key, known) !== undefined) return problemAt(span, problem, didYouMean(key, known));

  const depth = (option: string) => option.split('.').length;
  const elsewhere = allPaths().filter((option) => option.endsWith(`.${key}`));
  const [outermost] = elsewhere.sort((a, b) => depth(a) - depth(b));
  if (outermost !== undefined) return problemAt(span, problem, `did you mean "${outermost}"?`);
  return problemAt(span, { ...problem, fix: `options here: ${known.join(', ')}` });
}

function describe({ value }: Entry): string {
  if (value.kind !== 'scalar') return `a ${value.kind}`;
  if (value.value === null) return 'nothing';
  return JSON.stringify(value.value);
}

/** The recipe with the default in place of every faulty option, to look for contradictions among the others. */
function withoutFaults(raw: unknown, issues: readonly Issue[]): Recipe | undefined {
  const copy: unknown = structuredClone(raw);
  for (const issue of issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    for (const path of keys) remove(copy, path);
  }
  return recipeSchema.safeParse(copy).data;
}

function remove(value: unknown, [first, ...rest]: Path): void {
  if (typeof value !== 'object' || value === null || first === undefined) return;
  if (rest.length === 0) Reflect.deleteProperty(value, first);
  else remove((value as Record<PropertyKey, unknown>)[first], rest);
}
