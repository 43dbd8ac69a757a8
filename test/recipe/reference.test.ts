import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { allPaths, expected, optionAt } from '../../src/recipe/options.js';
import { recipePages } from '../../src/recipe/reference.js';
import { detectors } from '../../src/tasks/detection/detectors.js';

const docs = new URL('../../docs/', import.meta.url);
const sample = { task: 'detection', data: { format: 'coco' } };

test.each(Object.entries(recipePages()))(
  'docs/%s is what the schema says (after a change: npm run docs:recipe)',
  async (name, text) => {
    if (process.env.UPDATE_DOCS) await writeFile(new URL(name, docs), text);
    expect(await readFile(new URL(name, docs), 'utf8')).toBe(text);
  },
);

test('every option has a description and says what may stand there', () => {
  for (const path of allPaths()) {
    const formats = ['synthetic', 'coco', 'voc'].map((format) => ({ data: { format } }));
    const heads = detectors.map(({ name: head }) => ({ model: { head } }));
    const choices = [
      ...['synthetic', 'coco', 'voc'].map((format) => ({ task: 'detection', addClasses: { replay: { format } } })),
      ...['imageFolder', 'csv'].map((format) => ({ task: 'classification', addClasses: { replay: { format } } })),
      ...[...formats, ...heads].map((choice) => ({ task: 'detection', ...choice })),
      ...['synthetic-text', 'icdar', 'synthtext'].map((format) => ({ task: 'text', data: { format } })),
      ...['craft', 'craft-lite'].map((head) => ({ task: 'text', model: { head } })),
      ...['imageFolder', 'csv'].map((format) => ({ task: 'classification', data: { format } })),
    ];
    const option = choices.map((choice) => optionAt(path.split('.'), choice)).find((found) => found !== undefined);
    expect([path, option?.description]).toEqual([path, expect.stringMatching(/\w{3,}.*\.$/)]);
    expect([path, expected(option!)]).toEqual([path, expect.not.stringContaining('undefined')]);
  }
});

test.each([
  ['seed', 'a whole number from 0 to 4294967295'],
  ['train.optimizer.momentum', 'a number from 0 to below 1'],
  ['train.clipNorm', 'a number above 0, or null'],
  ['data.augment', 'false, or a map of options'],
  ['data.categories', 'a list of text'],
  ['data.train.images', 'text'],
  ['model.lowestLevelAnchors', 'one of 3, 6'],
  ['task', 'detection'],
])('%s takes %s', (path, words) => expect(expected(optionAt(path.split('.'), sample)!)).toBe(words));
