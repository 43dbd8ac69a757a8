import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Alias,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml';
import { cut, type Problem } from '../errors.js';
import { findDeepNesting, MAX_DEPTH } from './nesting.js';
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

/** Most aliases in a text: with them a small text may describe values of any size. */
const MAX_ALIASES = 100;

/** Parses `source.text` from the offset `from` on. Adds its errors to `problems`; the result must then not be used. */
export function parseLocated(source: Source, from: number, problems: Problem[]): Located {
  const text = source.text.slice(from);
  const deep = findDeepNesting(text);
  if (deep !== undefined) {
    const span = { source, start: from + deep, end: from + deep + 1 };
    const message = `options are nested more than ${MAX_DEPTH} levels deep here`;
    problems.push(problemAt(span, { code: 'E_RECIPE_SYNTAX', message, fix: 'no option needs more than ten levels' }));
    return { kind: 'scalar', span, value: null };
  }
  // The library compares each key with all others of its map; here they are compared below, in linear time.
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false });
  const faults: Fault[] = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    span: { source, start: from + pos[0], end: from + pos[1] },
    problem: { code: 'E_RECIPE_SYNTAX', message: `not valid YAML: ${firstLower(message)}` },
  }));
  const located = locate(document, source, from, faults);
  faults.sort((a, b) => a.span.start - b.span.start);
  for (const { span, problem } of faults) problems.push(problemAt(span, problem));
  return located;
}

interface Fault {
  readonly span: Span;
  readonly problem: Problem;
}

function locate(document: Document, source: Source, from: number, faults: Fault[]): Located {
  let aliases = 0;
  const anchors = new Map<string, Located | 'open'>(); // what an alias stands for is located once
  const syntaxError = (span: Span, message: string): void => {
    faults.push({ span, problem: { code: 'E_RECIPE_SYNTAX', message } });
  };
  const visitAlias = (name: string, span: Span): Located => {
    const target = anchors.get(name);
    aliases++;
    if (aliases === MAX_ALIASES + 1) syntaxError(span, `there are more than ${MAX_ALIASES} aliases`);
    if (target === 'open') syntaxError(span, 'an alias inside its own anchor');
    if (target === undefined) syntaxError(span, `there is no anchor &${cut(name)} before this alias`);
    return target === undefined || target === 'open' ? { kind: 'scalar', span, value: null } : target;
  };
  const visit = (node: Node | null, fallback: Span): Located => {
    const range = node?.range;
    const span = range ? { source, start: from + range[0], end: from + range[1] } : fallback;
    if (isAlias(node)) return visitAlias(node.source, span);
    if (node?.anchor !== undefined) anchors.set(node.anchor, 'open');
    const located = visitValue(node, span, fallback);
    if (node?.anchor !== undefined) anchors.set(node.anchor, located);
    return located;
  };
  const visitValue = (node: Exclude<Node, Alias> | null, span: Span, fallback: Span): Located => {
    if (isMap<Node, Node | null>(node)) return visitMap(node, span);
    if (isSeq<Node>(node)) return { kind: 'list', span, items: node.items.map((item) => visit(item, span)) };
    const value = isScalar(node) ? node.value : null;
    return { kind: 'scalar', span: value === null ? fallback : span, value }; // an empty value has no place of its own
  };
  const visitMap = ({ items }: YAMLMap<Node, Node | null>, span: Span): Located => {
    const entries = new Map<string, Entry>();
    for (const { key, value } of items) {
      const at = key.range ? { source, start: from + key.range[0], end: from + key.range[1] } : span;
      const name = isScalar(key) ? String(key.value) : key.toString();
      if (entries.has(name)) {
        const message = `"${cut(name)}" occurs twice in the same map`;
        faults.push({ span: at, problem: { code: 'E_RECIPE_DUPLICATE_KEY', message, fix: 'remove one of the two' } });
      } else entries.set(name, { key: at, value: visit(value, at) });
    }
    return { kind: 'map', span, entries };
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

/** A copy of `located` without the entry at `path`. */
export function removeAt(located: Located, path: readonly string[]): Located {
  const last = path.at(-1)!;
  return changeAt(located, path.slice(0, -1), (map) =>
    map.kind === 'map' ? { ...map, entries: new Map([...map.entries].filter(([name]) => name !== last)) } : map,
  );
}

/** The plain value without places. What stands in several places, by aliases, is one object. */
export function toValue(located: Located, made = new Map<Located, unknown>()): unknown {
  if (located.kind === 'scalar') return located.value;
  if (made.has(located)) return made.get(located);
  const value =
    located.kind === 'list'
      ? located.items.map((item) => toValue(item, made))
      : Object.fromEntries([...located.entries].map(([name, entry]) => [name, toValue(entry.value, made)]));
  made.set(located, value);
  return value;
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
