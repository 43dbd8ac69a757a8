import type { z } from 'zod';
import { cut, MOST_LISTED, type Problem } from '../errors.js';
import { didYouMean, nearest } from '../didYouMean.js';
import { suggestBackbone } from '../models/registry.js';
import { entryAt, nearestEntry, removeAt, toValue, type Entry, type Located, type Path } from './located.js';
import { allPaths, expected, optionAt, optionsAt, type Option } from './options.js';
import { rememberPlaces } from './places.js';
import { conflicts } from './rules.js';
import { recipeSchema, type Recipe } from './schema.js';
import { problemAt, whereOf, type Span } from './span.js';

type Issue = z.core.$ZodIssue;

/** Something that is wrong, at a place. */
interface Fault {
  readonly span: Span;
  /** The problem without a place, a hint and an excerpt, for those that are not listed. */
  readonly brief: Problem;
  readonly explain: () => Problem;
}

/** The recipe in `located`, or everything that is wrong with it: by file, in the order in which the files were read, and
 *  then from top to bottom. */
export function checkRecipe(given: Located): { recipe: Recipe } | { problems: Problem[] } {
  const located = withoutNulls(given);
  const written = toValue(located);
  const result = recipeSchema.safeParse(written);
  const [raw, wrong] = result.success ? [written, []] : withTask(written, result.error.issues);
  const issues = wrong.flatMap((issue) => flatten(issue));
  const faults = issues.flatMap((issue) => toFaults(issue, located, raw));

  // Contradictions among the sound options are looked for, too, unless there is enough to do already.
  const recipe = result.success ? result.data : issues.length > MOST_LISTED ? undefined : withoutFaults(raw, issues);
  const entryOf = (path: string) => entryAt(located, path.split('.'));
  for (const { path, message, fix } of recipe ? conflicts(recipe, (path) => entryOf(path) !== undefined) : []) {
    const span = nearestEntry(located, path.split('.')).key;
    const problem = { code: 'E_RECIPE_CONFLICT', message, fix } as const;
    faults.push({ span, brief: problem, explain: () => problemAt(span, problem) });
  }
  if (!result.success || faults.length > 0) {
    const toProblem = ({ span, brief, explain }: Fault, i: number): Problem =>
      i < MOST_LISTED ? explain() : { ...brief, where: whereOf(span) };
    return { problems: inOrder(faults).map(toProblem) };
  }
  rememberPlaces(result.data, located);
  return { recipe: result.data };
}

/** Takes away the options that `--set key=null` names, where null is not one of their values: the recipe then has their
 *  defaults. */
function withoutNulls(located: Located): Located {
  const issues = recipeSchema.safeParse(toValue(located)).error?.issues ?? [];
  return issues
    .flatMap((issue) => flatten(issue))
    .filter(({ path }) => isSetToNull(entryAt(located, path)))
    .reduce((rest, { path }) => removeAt(rest, path.map(String)), located);
}

const isSetToNull = (entry: Entry | undefined): boolean =>
  entry?.value.kind === 'scalar' &&
  entry.value.value === null &&
  entry.value.span.source.kind === 'set' &&
  /=\s*null\s*$/.test(entry.value.span.source.text); // nothing after "=" is a mistake

function inOrder(faults: readonly Fault[]): Fault[] {
  const ranks = new Map([...new Set(faults.map(({ span }) => span.source.name))].map((name, i) => [name, i]));
  const rank = ({ span }: Fault): number => ranks.get(span.source.name)!;
  return faults.toSorted((a, b) => rank(a) - rank(b) || a.span.start - b.span.start);
}

/** The rest of a recipe cannot be checked without a task. If it is missing or wrong, the format of the data decides
 *  which one is assumed, so that all problems are reported at once. */
function withTask(written: unknown, issues: readonly Issue[]): [raw: unknown, issues: readonly Issue[]] {
  const wrong = issues.filter(({ path }) => path.length === 1 && path[0] === 'task');
  if (wrong.length === 0 || typeof written !== 'object' || written === null) return [written, issues];
  const format = (written as { data?: { format?: unknown } | null }).data?.format;
  const task = /^(?:imageFolder|csv|.*-classes)$/.test(String(format)) ? 'classification' : 'detection';
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

function toFaults(issue: Issue, located: Located, raw: unknown): Fault[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, located, raw));

  const name = path.join('.');
  const entry = entryAt(located, path);
  if (!entry) {
    const span = nearestEntry(located, path).key;
    const brief = { code: 'E_RECIPE_MISSING_KEY', message: `"${name}" is missing` } as const;
    const { allowed, option } = allowedBy(issue, raw);
    const fix = `add it: ${allowed}. ${wordsOf(issue) ? '' : (option?.description ?? '')}`.trim();
    return [{ span, brief, explain: () => problemAt(span, { ...brief, fix }) }];
  }
  const code = issue.code === 'invalid_type' ? 'E_RECIPE_TYPE' : 'E_RECIPE_VALUE';
  const { span } = entry.value;
  const explain = (): Problem => {
    const { allowed, option } = allowedBy(issue, raw);
    const subject = name ? `"${name}"` : 'a recipe';
    const message = `${subject} must be ${allowed}; got ${describe(entry)}`;
    const typed = entry.value.kind === 'scalar' ? entry.value.value : undefined;
    const words = wordsOf(issue) ?? names(option).map(String);
    const suggest = name === 'model.backbone' ? suggestBackbone : (word: string) => didYouMean(word, words);
    const hint = typeof typed === 'string' ? suggest(typed) : undefined;
    return problemAt(span, { code, message }, hint);
  };
  return [{ span, brief: { code, message: `"${name}" has a wrong value` }, explain }];
}

/** The words that choose between the forms of an option, where none of them was written. */
const wordsOf = (issue: Issue): string[] | undefined =>
  issue.code === 'invalid_union' && 'options' in issue
    ? (issue.options as unknown[]).filter((one) => typeof one === 'string')
    : undefined;

/** What the recipe may have at the place of an issue, in words that follow "must be". */
function allowedBy(issue: Issue, raw: unknown): { readonly allowed: string; readonly option: Option | undefined } {
  const option = optionAt(issue.path, raw);
  const words = wordsOf(issue);
  return { option, allowed: words ? `one of ${words.join(', ')}` : option ? expected(option) : 'something else' };
}

/** The words that an option accepts, in any of its forms. */
const names = (option: Option | undefined): readonly unknown[] =>
  option?.enum ?? option?.anyOf?.flatMap((form) => form.enum ?? []) ?? [];

function unknownKey(path: Path, key: string, located: Located, raw: unknown): Fault {
  const brief = { code: 'E_RECIPE_UNKNOWN_KEY', message: `unknown key "${cut([...path, key].join('.'))}"` } as const;
  const span = entryAt(located, [...path, key])!.key;
  const explain = (): Problem => {
    const known = optionsAt(path, raw).map(([name]) => name);
    if (nearest(key, known) !== undefined) return problemAt(span, brief, didYouMean(key, known));
    const depth = (option: string) => option.split('.').length;
    const elsewhere = allPaths().filter((option) => option.endsWith(`.${key}`));
    const [outermost] = elsewhere.sort((a, b) => depth(a) - depth(b));
    if (outermost !== undefined) return problemAt(span, brief, `did you mean "${outermost}"?`);
    return problemAt(span, { ...brief, fix: `options here: ${known.join(', ')}` });
  };
  return { span, brief, explain };
}

function describe({ value }: Entry): string {
  if (value.kind !== 'scalar') return `a ${value.kind}`;
  if (value.value === null) return 'nothing';
  return cut(JSON.stringify(value.value));
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
