import type { Problem } from '../errors.js';
import { changeAt, merge, parseLocated, type Located } from './located.js';
import { problemAt, type Source, type Span } from './span.js';

/** Sets one `key=value` of the command line in `base`. The key is dotted and the value is YAML:
 *  `data.categories=[cat, dog]`. A map replaces the one that `base` has there: the options of another optimizer would
 *  have no meaning for the new one. Adds its errors to `problems`. */
export function override(base: Located, setting: string, folder: string, problems: Problem[]): Located {
  const equals = setting.indexOf('=');
  const key = equals < 0 ? setting : setting.slice(0, equals);
  const source: Source = { name: `--set ${key}`, text: setting, folder, kind: 'set' };
  const parts = splitKey(source, key);
  if (equals < 0 || parts.some(({ name }) => name === '')) {
    const span = { source, start: 0, end: setting.length };
    const message = '--set takes key=value';
    problems.push(problemAt(span, { code: 'E_RECIPE_SET', message, fix: 'for example --set train.epochs=12' }));
    return base;
  }
  let value = parseLocated(source, equals + 1, problems);
  // A value without a place of its own (nothing after "=") gets the place of its key.
  if (value.span.start === value.span.end) value = { ...value, span: parts.at(-1)!.span };
  const path = parts.map(({ name }) => name);
  const cleared = changeAt(base, path, (old) => (old.kind === 'map' ? { ...old, entries: new Map() } : old));
  for (const { name, span } of parts.reverse()) {
    value = { kind: 'map', span, entries: new Map([[name, { key: span, value }]]) };
  }
  return merge(cleared, value, 'base');
}

function splitKey(source: Source, key: string): { name: string; span: Span }[] {
  let start = 0;
  return key.split('.').map((name) => {
    const span = { source, start, end: start + name.length };
    start = span.end + 1;
    return { name, span };
  });
}
