import { expect, jest, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/cli/program.js';
import { suggestLr } from '../../src/trials/lrFind.js';
import { hintsFor } from '../../src/trials/overfit.js';
import { randomStream } from '../../src/random.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();
const file = join(folder, 'recipe.yaml');
const text = `
task: detection
engine: wasm
data: { format: synthetic, root: ${join(folder, 'data')}, train: { images: 4 }, val: { images: 1 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { batch: 2 }
`;
const options = { batch: 8, freeze: { stages: 0, batchNorm: 'train' } } as const;
const points = (loss: (lr: number) => number) =>
  Array.from({ length: 60 }, (_, i) => 1e-5 * 10 ** (i / 10)).map((lr) => ({ lr, loss: loss(lr), smooth: loss(lr) }));

test('the suggestion is a tenth of the rate with the lowest loss, and none where the loss never falls', () => {
  const lr = suggestLr(points((rate) => 1 + Math.abs(Math.log10(rate) + 1))); // lowest at 0.1
  expect(Math.log10(lr!)).toBeCloseTo(-2, 1);
  expect(suggestLr(points(() => 3))).toBeUndefined();
  expect(suggestLr(points((rate) => 3 + rate))).toBeUndefined();
  expect(suggestLr([])).toBeUndefined();
});

test('a fall is told from chance by how much the loss scatters', () => {
  const random = randomStream(3, 'losses');
  const curve = (fall: number, scatter: number) => {
    let sum = 0;
    return Array.from({ length: 80 }, (_, i) => {
      const lr = 1e-5 * 1.15 ** i;
      const loss = 3.1 + random.uniform(-scatter, scatter) - (i < 50 ? 0 : fall * Math.min(1, (i - 50) / 10)) + (i > 65 ? i - 65 : 0); // prettier-ignore
      sum = 0.9 * sum + 0.1 * loss;
      return { lr, loss, smooth: sum / (1 - 0.9 ** (i + 1)) };
    });
  };
  // As with letters in 22 classes, where the loss falls by 3 % in a hundred steps and scatters by 2 %.
  for (let i = 0; i < 50; i++) expect(suggestLr(curve(0.2, 0.1))).toBeDefined();
  for (let i = 0; i < 50; i++) expect(suggestLr(curve(0, 0.1))).toBeUndefined();
});

test('the hints read the curves', () => {
  const line = (loss: number, box: number, label: number, gradientNorm = 1) => ({
    loss,
    parts: { box, class: label },
    gradientNorm,
  });
  expect(hintsFor([line(4, 2, 2), line(2.2, 0.2, 2)], options)[0]).toMatch(/^box fell and class did not/);
  expect(hintsFor([line(4, 2, 2), line(40, 20, 20), line(4, 2, 2)], options)[0]).toMatch(/rose to 40.00.*lr-find/);
  expect(hintsFor([line(4, 2, 2, 0), line(4, 2, 2, 0)], options)[0]).toMatch(/no gradient arrives/);
  expect(hintsFor([line(4, 2, 2), line(2.5, 1.2, 1.2)], options)[0]).toMatch(/falls, but slowly/);
});

test('both run from the command line: lr-find leaves its page, overfit says why it did not learn, with 1 as exit code', async () => {
  await writeFile(file, text);
  const printed: string[] = [];
  jest.spyOn(console, 'log').mockImplementation((line: string) => printed.push(line));
  expect(await run(['lr-find', file, '--steps', '12', '--out', folder])).toBe(0);
  expect(printed.at(-1)).toBe(join(folder, 'lr-find.html'));
  expect(await readFile(join(folder, 'lr-find.html'), 'utf8')).toMatch(/<svg[^]*learning rate of a step/);
  const hopeless = ['--set', 'train.lr.value=1.0e-9', '--set', 'train.freeze.stages=all'];
  expect(await run(['overfit', file, '--n', '2', '--steps', '10', ...hopeless])).toBe(1);
  expect(printed.join('\n')).toMatch(
    /2 images NOT learned in 10 steps: loss [\d.]+ → [\d.]+[^]*whole backbone is frozen/,
  );
  jest.restoreAllMocks();
}, 120_000);
