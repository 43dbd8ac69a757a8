import { stringify } from 'yaml';
import type { Setting } from './setting.js';

const WIDTH = 120;

type Tree = Map<string, Tree | Setting>;

/** The settings as YAML in their order, each with its reason: behind it where there is room, else above it. `head` are
 *  lines of a comment at the top. */
export function renderRecipe(settings: readonly Setting[], head: readonly string[]): string {
  const tree: Tree = new Map();
  for (const setting of settings) {
    const keys = setting.path.split('.');
    const last = keys.pop()!;
    const parent = keys.reduce((at, key) => {
      if (!at.has(key)) at.set(key, new Map());
      return at.get(key) as Tree;
    }, tree);
    parent.set(last, setting);
  }
  return [...head.flatMap((line) => (line === '' ? ['#'] : wrap(line, '# '))), ...lines(tree, ''), ''].join('\n');
}

function lines(tree: Tree, indent: string): string[] {
  return [...tree].flatMap(([key, node]) => {
    if (node instanceof Map) return [`${indent}${key}:`, ...lines(node, `${indent}  `)];
    const line = `${indent}${key}: ${inline(node.value)}`;
    if (node.why === undefined) return [line];
    const whole = `${line} # ${node.why}`;
    return whole.length <= WIDTH ? [whole] : [...wrap(node.why, `${indent}# `), line];
  });
}

const inline = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();

/** A text in lines that begin with `prefix` and are no longer than the page is wide. */
function wrap(text: string, prefix: string): string[] {
  const wrapped: string[] = [];
  for (const word of text.split(' ')) {
    const last = wrapped.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) wrapped[wrapped.length - 1] = `${last} ${word}`;
    else wrapped.push(prefix + word);
  }
  return wrapped;
}
