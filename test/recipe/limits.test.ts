import { expect, test } from '@jest/globals';
import { FinetuneError, formatProblem } from '../../src/errors.js';
import { parseRecipe } from '../../src/recipe/load.js';

const HEAD = 'task: detection\n';
const many = (count: number, one: (i: number) => string, between: string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join(between);

async function errorIn(text: string, set: readonly string[] = []): Promise<FinetuneError> {
  const error: unknown = await parseRecipe(text, 'a.yaml', { set }).catch((thrown: unknown) => thrown);
  if (error instanceof FinetuneError) return error;
  throw new Error(`expected a FinetuneError, got ${String(error)}`);
}

/** No test here watches the clock: before, each of these recipes took minutes, ended the process, or filled the screen. */
test.each<[name: string, text: string, code: string, place: string]>([
  ['unknown keys', many(5000, (i) => `k${i}: 1`, '\n'), 'E_RECIPE_UNKNOWN_KEY', '98:1'],
  ['unknown keys in one line', `{${many(5000, (i) => `k${i}: 1`, ', ')}}`, 'E_RECIPE_UNKNOWN_KEY', '1:768'],
  ['keys that occur twice', many(3000, () => 'seed: 1', '\n'), 'E_RECIPE_DUPLICATE_KEY', '101:1'],
  ['wrong values', `${HEAD}data: { format: voc, root: x, categories: [${many(5000, (i) => `${i}`, ', ')}] }`, 'E_RECIPE_TYPE', '2:430'], // prettier-ignore
])('of thousands of %s, a hundred are listed, each in a few short lines', async (_, text, code, place) => {
  const { message, problems } = await errorIn(text);
  const lines = message.split('\n');
  expect(problems.length).toBeGreaterThan(2900);
  expect(problems.every(({ where }) => where?.line !== undefined)).toBe(true);
  expect(lines.filter((line) => line.includes(code)).length).toBeGreaterThanOrEqual(98);
  expect(lines.filter((line) => line.startsWith('a.yaml:'))).toHaveLength(100);
  expect(lines.findLast((line) => line.startsWith('a.yaml:'))).toMatch(`a.yaml:${place}  `);
  expect(lines.at(-1)).toBe(`… and ${problems.length - 100} more`);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(400);
});

test.each([
  ['open brackets', `${HEAD}data: ${'['.repeat(10_000)}`],
  ['brackets', `${HEAD}data: ${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ['maps', `${HEAD}data: ${'{a: '.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['lists in one line', `${HEAD}data:\n  ${'- '.repeat(10_000)}1`],
  ['keys that are maps', '? '.repeat(10_000)],
  ['indented maps', many(300, (i) => `${' '.repeat(i)}a:`, '\n')],
])('levels of %s', async (_, text) => {
  const { code, problems } = await errorIn(text);
  expect([code, problems.length, problems[0]!.message]).toEqual([
    'E_RECIPE_SYNTAX',
    1,
    expect.stringContaining('nested'),
  ]);
  expect(problems[0]!.where!.column).toBeGreaterThan(100);
});

test('brackets in texts and comments open no levels, and neither does a --set', async () => {
  const text = `${HEAD}data: { format: synthetic }\nout: "${'['.repeat(500)}"\n# ${'[- '.repeat(500)}\n`;
  expect((await parseRecipe(text, 'a.yaml')).out).toHaveLength(500);
  expect((await errorIn(text, [`seed=${'['.repeat(10_000)}`])).message).toMatch(/^--set seed {2}options are nested/);
});

test('a long value is cut in the message and in the excerpt, and control characters are visible', async () => {
  for (const value of ['x'.repeat(1e6), `"${'x'.repeat(1e6)}"`, '"a\\u001b[31m\\u202eb\\u0000"', 'a\u202eb']) {
    const { message } = await errorIn(`${HEAD}data: { format: synthetic }\nseed: ${value}\n`);
    expect(message).toMatch(/^a\.yaml:3:7 {2}"seed" must be/);
    expect(message.length).toBeLessThan(900);
    expect(message).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
  }
});

test('aliases: what they stand for is read once, and each may be wrong at its own place', async () => {
  const nested = many(9, (i) => `a${i + 1}: &a${i + 1} [${many(10, () => `*a${i}`, ', ')}]`, '\n');
  expect((await errorIn(`a0: &a0 [1]\n${nested}`)).problems.map(({ code }) => code)).toContain('E_RECIPE_UNKNOWN_KEY');
  const message = async (text: string) => (await errorIn(text)).message;
  expect(await message('a: &x [*x]')).toMatch('a.yaml:1:8  an alias inside its own anchor');
  expect(await message('a: *x')).toMatch('a.yaml:1:4  there is no anchor &x before this alias');
  expect(await message(`a: &x 1\nb: [${many(101, () => '*x', ', ')}]`)).toMatch('there are more than 100 aliases');
});

test('an error of any kind lists a hundred problems, cuts what is long and shows control characters', () => {
  const problem = { code: 'E_DATA_EMPTY', message: 'it', where: { file: 'a\u001b[2J\nb' } } as const;
  const { message } = new FinetuneError(Array.from({ length: 1000 }, () => problem));
  expect(message.split('\n').at(-1)).toBe('… and 900 more');
  expect(message).toMatch('a\\x1b[2J');
  expect(formatProblem({ code: 'E_DATA_EMPTY', message: 'x'.repeat(1e5), fix: 'y'.repeat(1e5) }).length).toBeLessThan(
    4100,
  );
});
