import { expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const codesIn = (text: string): string[] => text.match(/\b[EW]_[A-Z0-9]+(?:_[A-Z0-9]+)*\b(?!_)/g) ?? [];

test('docs/errors.md lists the codes of src, no more and no less', async () => {
  const files = (await readdir(`${root}src`, { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !/\bdist\b/.test(name),
  );
  const sources = await Promise.all(files.map((name) => readFile(`${root}src/${name}`, 'utf8')));
  const used = new Set(sources.flatMap((text) => codesIn(text.replace(/^\s*(?:\/?\*|\/\/).*$/gm, '')))); // comments may name families of codes, such as E_WEIGHTS_
  const listed = new Set(codesIn(await readFile(`${root}docs/errors.md`, 'utf8')));
  expect([...used].filter((code) => !listed.has(code))).toEqual([]);
  expect([...listed].filter((code) => !used.has(code))).toEqual([]);
});
