import { z } from 'zod';
import { didYouMean } from '../didYouMean.js';
import { FinetuneError, type Problem } from '../errors.js';
import { expected, optionAt, type Option } from '../recipe/options.js';

/** Reads an argument of a public function. Throws E_USAGE with every entry that is wrong; `name` is the argument's name
 *  in messages. */
export function checkArgument<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const option = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  throw new FinetuneError(error.issues.flatMap((issue) => toProblems(name, issue, value, option)));
}

function toProblems(name: string, issue: z.core.$ZodIssue, argument: unknown, whole: Option): Problem[] {
  const place = [name, ...issue.path.map(String)].join('.');
  const usage = (message: string, fix?: string): Problem => ({ code: 'E_USAGE', message, ...(fix && { fix }) });
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MOST_KEYS).map((key) => usage(`"${place}.${printed(key)}" is no option`));
  }
  const value = issue.path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : {}),
    argument,
  );
  const hint = 'values' in issue && typeof value === 'string' ? didYouMean(value, issue.values.map(String)) : undefined;
  const known = issue.code === 'custom' ? undefined : optionAt(issue.path, argument, whole);
  const wanted = known ? `must be ${expected(known)}` : `is wrong: ${issue.message}`;
  return [usage(`"${place}" ${wanted}; got ${printed(value)}`, hint)];
}

const MOST_KEYS = 10;
const LONGEST = 60;

/** A value in a message. */
function printed(value: unknown): string {
  const text = print(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function print(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
    default:
      return `a ${typeof value}`;
  }
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** Options that every long call takes. */
export const hooks = {
  signal: z.instanceof(AbortSignal).optional(),
  onProgress: z.custom<(event: never) => void>(isFunction, 'a function is wanted').optional(),
};

/** Throws E_USAGE unless the argument is text. */
export const checkText = (name: string, value: unknown): string => checkArgument(name, z.string().min(1), value);
