import { expect, test } from '@jest/globals';
import { table } from '../src/cli/table.js';
import { FinetuneError } from '../src/errors.js';
import { printable } from '../src/printable.js';

const CONTROL = /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

test('control characters of a file are escaped, other texts stay as they are', () => {
  expect(printable('a\x1b[2J\0\x9b\r\n\tb \u202e安全帽 é 🙂')).toBe('a\\x1b[2J\\x00\\x9b\\x0d\n\tb \\u202e安全帽 é 🙂');
});

test('errors and tables have none', () => {
  const name = 'dog\x1b]0;owned\x07';
  const { message } = new FinetuneError({
    code: 'E_DATA_CATEGORY',
    message: `there is no category "${name}"`,
    where: { file: `${name}.xml` },
    excerpt: name,
    fix: `the categories are: ${name}`,
  });
  expect(message).not.toMatch(CONTROL);
  const lines = table([
    ['category', 'images'],
    [name, '7'],
  ]).split('\n');
  expect(lines.join('')).not.toMatch(CONTROL);
  expect(lines[0]!.length).toBe(lines[1]!.length);
});
