import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node } from 'yaml';
import type { Problem } from '../errors.js';
import { problemAt, type Source, type Span } from './span.js';

/** A YAML value with its place in a file, so that after maps of several files are merged an error still points at
 *  the right one. */
export type Located = LocatedMap | LocatedList | LocatedScalar;

interface LocatedMap {
  readonly kind: 'map';
  readonly span: Span;
  readonly entries: ReadonlyMap<string, Entry>;
}
interface LocatedList {
  readonly kind: 'list';
  readonly span: Span;
  readonly items: readonly Located[];
}
interface LocatedScalar {
  readonly kind: 'scalar';
  readonly span: Span;
  readonly value: unknown;
}
export interface Entry {
  readonly key: Span;
  readonly value: Located;
}

/** Most aliases that are expanded in a text. They nest, so that ten levels of ten aliases each would be 10^10
 *  values. */
const MAX_ALIASES = 100;

/** Parses `source.text` from the offset `from` on. Adds its errors to `problems`; the result must then not be used. */
export function parseLocated(source: Source, from: number, problems: Problem[]): Located {
  const document = parseDocument(source.text.slice(from), { prettyErrors: false });
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const start = from + pos[0];
    const span = { source, start, end: from + pos[1] };
    if (code === 'DUPLICATE_KEY') {
      const key = /^[^\s:,}]*/.exec(source.text.slice(start))![0];
      const problem = { code: 'E_RECIPE_DUPLICATE_KEY', message: `"${key}" occurs twice in the same map` } as const;
      problems.push(problemAt({ ...span, end: start + key.length }, { ...problem, fix: 'remove one of the two' }));
    } else {
      problems.push(problemAt(span, { code: 'E_RECIPE_SYNTAX', message: `not valid YAML: ${firstLower(message)}` }));
    }
  }
  return locate(document, source, from, problems);
}

function locate(document: Document, source: Source, from: number, problems: Problem[]): Located {
  let aliases = 0;
  const visit = (node: Node | null, fallback: Span): Located => {
    const range = node?.range;
    const span = range ? { source, start: from + range[0], end: from + range[1] } : fallback;
    if (isAlias(node)) {
      if (aliases === MAX_ALIASES) {
        const message = `more than ${MAX_ALIASES} aliases, or an alias inside its own anchor`;
        problems.push(problemAt(span, { code: 'E_RECIPE_SYNTAX', message }));
      }
      if (++aliases > MAX_ALIASES) return { kind: 'scalar', span, value: null };
      return visit(node.resolve(document) ?? null, span);
    }
    if (isMap<Node, Node | null>(node)) {
      const entries = node.items.map(({ key, value }): [string, Entry] => {
        const at = key.range ? { source, start: from + key.range[0], end: from + key.range[1] } : span;
        return [isScalar(key) ? String(key.value) : key.toString(), { key: at, value: visit(value, at) }];
      });
      return { kind: 'map', span, entries: new Map(entries) };
    }
    if (isSeq<Node>(node)) return { kind: 'list', span, items: node.items.map((item) => visit(item, span)) };
    const value = isScalar(node) ? node.value : null;
    return { kind: 'scalar', span: value === null ? fallback : span, value }; // an empty value has no place of its own
  };
  return visit(document.contents, { source, start: from, end: from });
}

/** Merges `over` into `base`: maps are merged key by key, and any other value of `over` replaces that of `base`. A
 *  map that both have keeps the place that it has in `at`. */
export function merge(base: Located, over: Located, at: 'base' | 'over' = 'over'): Located {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const [name, entry] of over.entries) {
    const below = entries.get(name);
    const value = below ? merge(below.value, entry.value, at) : entry.value;
    entries.set(name, { key: below && value.kind === 'map' && at === 'base' ? below.key : entry.key, value });
  }
  return { kind: 'map', span: at === 'base' ? base.span : over.span, entries };
}

/** A copy of `located` in which the value at `path`, if there is one, is changed. */
export function changeAt(located: Located, path: readonly string[], change: (value: Located) => Located): Located {
  const [first, ...rest] = path;
  if (first === undefined) return change(located);
  const entry = located.kind === 'map' ? located.entries.get(first) : undefined;
  if (located.kind !== 'map' || !entry) return located;
  const changed = { ...entry, value: changeAt(entry.value, rest, change) };
  return { ...located, entries: new Map(located.entries).set(first, changed) };
}

/** The plain value without places. */
export function toValue(located: Located): unknown {
  if (located.kind === 'scalar') return located.value;
  if (located.kind === 'list') return located.items.map(toValue);
  return Object.fromEntries([...located.entries].map(([name, { value }]) => [name, toValue(value)]));
}

export type Path = readonly PropertyKey[];

/** The entry at `path`; for an item of a list, key and value are both the item. Undefined if nothing is written
 *  there. */
export function entryAt(located: Located, path: Path): Entry | undefined {
  let entry: Entry | undefined = { key: located.span, value: located };
  for (const part of path) {
    const inside: Located | undefined = entry?.value;
    if (inside?.kind === 'map') entry = inside.entries.get(String(part));
    else if (inside?.kind === 'list') {
      const item: Located | undefined = inside.items[Number(part)];
      entry = item && { key: item.span, value: item };
    } else return undefined;
  }
  return entry;
}

/** The entry at `path`, or the innermost one around it. */
export function nearestEntry(located: Located, path: Path): Entry {
  if (path.length === 0) return { key: { ...located.span, end: located.span.start }, value: located };
  return entryAt(located, path) ?? nearestEntry(located, path.slice(0, -1));
}

const firstLower = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
