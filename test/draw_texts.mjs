/** Draw texts at random to judge how they read: comments, messages and option descriptions, documentation.
 *
 *      npm run check:texts [-- --count 20 --seed 7 --in src/train]
 *
 *  A third each of comments, of strings with several words, and of paragraphs. The seed is printed; with --seed a draw is
 *  repeated. --in draws from the paths that begin with a text. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import ts from 'typescript';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '20' }, seed: { type: 'string' }, in: { type: 'string', default: '' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const random = generator(seed);
/** Of Markdown, what is no prose: blocks of code, and the lines with an option's default and values. */
const NOT_PROSE = /^```[\s\S]*?^```$|^- \*\*`[\s\S]*?\n(?=\n)/gm;
const PARAGRAPH = /((?:^(?!#|\s{4}).*\S.*\n?)+)/gm;
const WORD_LISTS = 'src/data/synthetic/text/vocabulary.ts';

const paths = ['README.md', ...['src', 'test', 'docs', 'datasets', 'recipes'].flatMap(filesIn)].sort();
const texts = paths.filter((path) => path.startsWith(values.in)).flatMap(textsIn);
const kinds = [...new Set(texts.map(({ kind }) => kind))].map((kind) => texts.filter((text) => text.kind === kind));
console.log(`${texts.length} texts; --seed ${seed} repeats this draw`);
for (let drawn = 0; drawn < Math.min(Number(values.count), texts.length); drawn++) {
  const candidates = kinds.filter(({ length }) => length > 0);
  const among = candidates[drawn % candidates.length];
  const [{ path, index, text, kind }] = among.splice(Math.floor(random() * among.length), 1);
  const line = readFileSync(path, 'utf8').slice(0, index).split('\n').length;
  console.log(`\n${drawn + 1}. ${path}:${line}  (${kind})\n   ${text.replaceAll(/\n\s*/g, '\n   ')}`);
}

function filesIn(folder) {
  const names = readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
  return names.filter(
    (name) => name !== WORD_LISTS && /\.(ts|md|yaml)$/.test(name) && !/\/(dist|fixtures|node_modules)\//.test(name),
  );
}

function textsIn(path) {
  const source = readFileSync(path, 'utf8');
  const found = path.endsWith('.ts')
    ? [...comments(source), ...(path.startsWith('test/') ? [] : messages(source))]
    : path.endsWith('.yaml')
      ? matches('documentation', source, /((?:^ *# .*\n)+|# .*)/gm)
      : matches(
          'documentation',
          source.replaceAll(NOT_PROSE, (text) => text.replaceAll(/[^\n]/g, ' ')),
          PARAGRAPH,
        );
  return found.map((text) => ({ path, ...text }));
}

/** Comments of two words or more, without those that are meant for a tool. */
function comments(source) {
  const found = matches('comment', source, /(\/\*\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n)+|\/\/ .*)/gm);
  return found.filter(({ text }) => /\w\W+\w/.test(text) && !/^\/\/ (prettier|eslint|@ts)-/.test(text));
}

/** Strings of four words or more: messages, descriptions of options, texts of the command line and the report. */
function messages(source) {
  const found = [];
  const visit = (node) => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node)) {
      const text = node.getText();
      if (/[A-Za-z']+(?:[,;:.)]? [`"'(]?[A-Za-z']+){3}/.test(text)) {
        found.push({ kind: 'message', index: node.getStart(), text });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('', source, ts.ScriptTarget.ES2022, true));
  return found;
}

function matches(kind, source, pattern) {
  return [...source.matchAll(pattern)].map(({ index, 1: text }) => ({ kind, index, text: text.trim() }));
}

/** Mulberry32: numbers from 0 to below 1, the same for the same seed. */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
