import { afterEach, expect, jest, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { run } from '../../src/cli/program.js';
import { anchorOf } from '../../src/markdown.js';
import { allPaths } from '../../src/recipe/options.js';

const root = new URL('../../', import.meta.url).pathname;
const filesIn = (folder: string, recursive = false): string[] =>
  readdirSync(join(root, folder), { recursive }).map((name) => join(folder, String(name)));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const pages = [
  'README.md',
  'src/pycocotools/README.md',
  ...[...filesIn('docs'), ...filesIn('datasets')].filter((name) => name.endsWith('.md')),
];
const recipes = filesIn('recipes').filter((name) => name.endsWith('.yaml'));
const texts = [...pages, ...recipes];

/** The lines of a page that are prose: outside code blocks and tables. */
function prose(page: string): string[] {
  let isCode = false;
  return read(page)
    .split('\n')
    .filter((line) => {
      if (/^\s*```/.test(line)) isCode = !isCode;
      return !isCode && !/^(\s{4}|\||\s*```)/.test(line);
    });
}

/** The places where `pattern` is found in some file, as [file, first group]. */
const found = (files: readonly string[], pattern: RegExp): [string, string][] =>
  files.flatMap((file) => [...read(file).matchAll(pattern)].map(([, name]): [string, string] => [file, name!]));

afterEach(() => {
  jest.restoreAllMocks();
});

test('every relative link leads to a file, and to a heading of it', () => {
  const links = found(pages, /\]\(([^)\s]+)\)/g).filter(([, link]) => !/^(https?|mailto):/.test(link));
  const dead = links.filter(([page, link]) => {
    const [path, anchor] = link.split('#') as [string, string?];
    const file = path === '' ? page : normalize(join(dirname(page), path));
    try {
      const text = file.endsWith('.md') ? read(file) : '';
      if (text === '') readdirSync(join(root, dirname(file)));
      const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));
      return anchor !== undefined && !headings.includes(anchor);
    } catch {
      return true;
    }
  });
  expect(links.length).toBeGreaterThan(20);
  expect(dead).toEqual([]);
});

test('prose and the comments of recipes wrap at 120 columns', () => {
  const unbreakable = /https?:\/\/|\]\(/;
  const lines = [
    ...pages.flatMap((page) => prose(page).map((line) => [page, line])),
    ...recipes.flatMap((file) =>
      read(file)
        .split('\n')
        .map((line) => [file, line]),
    ),
  ];
  expect(lines.filter(([, line]) => line!.length > 120 && !unbreakable.test(line!))).toEqual([]);
});

test('every command that a page names exists', async () => {
  const help = jest.spyOn(console, 'info').mockReturnValue(undefined);
  const log = jest.spyOn(console, 'log').mockReturnValue(undefined);
  expect(await run(['--help'])).toBe(0);
  const text = [...help.mock.calls, ...log.mock.calls].flat().join('\n');
  const commands = [...text.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name!);
  expect(commands).toContain('doctor');
  const named = found(texts, /(?:^ *|[`#] *|npx +)finetune +([a-z][a-z-]*)(?=[\s`]|$)/gm);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(([, name]) => !commands.includes(name))).toEqual([]);
});

test('every path of the repository that a page names exists', () => {
  const all = ['src', 'test', 'docs', 'datasets', 'recipes'].flatMap((folder) => filesIn(folder, true));
  const named = found(texts, /(?<![\w./-])((?:src|test|docs|datasets|recipes)\/[\w./-]*\w)/g);
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(([, path]) => !all.some((file) => file.startsWith(path)))).toEqual([]);
});

test('every option that a page names exists', () => {
  const options = new Set(allPaths());
  const named = [
    ...found(texts, /--(?:set|over) +['"]?([A-Za-z][\w.]*)=/g),
    ...found(texts, /`((?:data|addClasses|model|train|evaluate|report)\.[A-Za-z.]+)[`:=]/g),
  ].filter(([, name]) => !/\.(bin|csv|html|json|onnx|pb|safetensors|tflite|ts|txt|yaml)$/.test(name)); // names of files
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(([, name]) => !options.has(name))).toEqual([]);
});
