import { describe, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/program.js';
import { comparisonTable } from '../../src/cli/sweep.js';
import { compareRuns } from '../../src/trials/compareRuns.js';
import { compareScores } from '../../src/evaluate/compareScores.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { resolvedRecipeText } from '../../src/recipe/resolved.js';
import { openSweep, planSweep } from '../../src/trials/sweep.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();
const group = (name: string, ...scores: number[]) => ({
  name,
  scores: new Map(scores.map((score, i) => [i + 1, score])),
});

describe('the plan', () => {
  test('every combination with every seed; each setting comes once before any comes twice', () => {
    const over = ['train.lr.value=0.01,0.03', 'data.categories=[a, b],[c]'];
    const members = planSweep('out', 5, { over, seeds: 2 });
    expect(members).toHaveLength(8);
    expect(members.slice(0, 4).every(({ set }) => set.at(-1) === 'seed=5')).toBe(true);
    expect(members[1]!.set).toEqual(['train.lr.value=0.01', 'data.categories=["c"]', 'seed=5']);
    expect(new Set(members.map(({ directory }) => directory)).size).toBe(8);
    for (const { directory } of members) expect(directory).toMatch(/^out\/[\w.=-]+-seed-[56]$/);
  });

  test('at random: some of the grid, the same ones each time', () => {
    const options = { over: ['train.lr.value=1,2,3,4,5,6'], seeds: 1, random: 2 };
    expect(planSweep('out', 5, options)).toHaveLength(2);
    expect(planSweep('out', 5, options)).toEqual(planSweep('out', 5, options));
  });

  test.each(['train.lr.value', '=1', 'a=', 'a=[1'])('%j is no list of values', (text) => {
    expect(() => planSweep('out', 1, { over: [text], seeds: 1 })).toThrow(/E_SWEEP_OVER/);
  });

  test('settings that a folder name cannot hold are told apart', () => {
    const over = ['train.freeze.stages=["blocks.*"],["blocks.?"]'];
    expect(new Set(planSweep('out', 1, { over, seeds: 1 }).map(({ directory }) => directory)).size).toBe(2);
  });

  test('a folder name has no secret of an address, and is not too long', () => {
    const over = [`model.weights='https://host/${'x'.repeat(300)}.pth?token=a','https://host/w.pth?token=SECRET'`];
    const names = planSweep('out', 1, { over, seeds: 1 }).map(({ directory }) => directory);
    expect(names.join()).not.toContain('SECRET');
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(150);
  });

  test('a directory belongs to the sweep of one recipe', async () => {
    const directory = join(folder, 'sweep');
    const recipe = (lr: number) => parseRecipe(`task: detection\ndata: { format: synthetic }\ntrain: { lr: { value: ${lr} } }\n`, 'recipe.yaml'); // prettier-ignore
    await openSweep(directory, await recipe(0.1));
    await openSweep(directory, await recipe(0.1));
    const message = expect.stringContaining('train.lr.value: 0.1 before, 0.2 now');
    await expect(openSweep(directory, await recipe(0.2))).rejects.toMatchObject({ code: 'E_SWEEP_OTHER', message });
  });
});

describe('the comparison', () => {
  test('what differs by more than seeds do is worse, what does not is not distinguishable', () => {
    const rows = compareScores([
      group('far', 0.3, 0.31, 0.29),
      group('best', 0.5, 0.52, 0.51),
      group('near', 0.5, 0.49, 0.52),
    ]);
    expect(rows.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['best', 'best'],
      ['near', 'not distinguishable'],
      ['far', 'worse'],
    ]);
    // By hand: mean 0.51, deviation 0.01, t(2) = 4.303 → ± 4.303 · 0.01 / √3.
    expect(rows[0]!.interval![0]).toBeCloseTo(0.51 - (4.303 * 0.01) / Math.sqrt(3), 10);
  });

  test('one seed is no evidence', () => {
    const rows = compareScores([group('a', 0.9), group('b', 0.1)]);
    expect(rows[1]).toMatchObject({ verdict: 'one seed', behindInterval: undefined });
    expect(comparisonTable({ score: 'AP', rows })).toMatch(
      /b +1 +0.1000 +0.8000 behind; one seed cannot tell this from chance/,
    );
  });

  test('runs that differ in the seed alone are one row, named by the options that differ', async () => {
    const text = 'task: detection\ndata: { format: synthetic }\n';
    const directories: string[] = [];
    for (const [lr, seed, AP] of [
      [0.01, 1, 0.4],
      [0.01, 2, 0.42],
      [0.03, 1, 0.5],
      [0.03, 2, 0.53],
    ] as const) {
      // prettier-ignore
      const directory = join(folder, `${lr}-${seed}`);
      directories.push(directory);
      await mkdir(directory);
      const recipe = await parseRecipe(text, 'a.yaml', { set: [`train.lr.value=${lr}`, `seed=${seed}`] });
      await writeFile(join(directory, 'recipe.yaml'), resolvedRecipeText(recipe));
      await writeFile(join(directory, 'metrics.json'), JSON.stringify({ metric: { metric: 'coco', AP, AP50: 1 } }));
    }
    const { score, rows } = await compareRuns(directories);
    expect(score).toBe('AP');
    expect(rows.map(({ name, seeds }) => [name, seeds])).toEqual([
      ['train.lr.value=0.03', 2],
      ['train.lr.value=0.01', 2],
    ]);
    // Scores of a test part do not choose a setting: here the validation part prefers the other one.
    for (const directory of directories) {
      const AP = directory.includes('0.01') ? 0.7 : 0.1;
      const best = { epoch: 1, name: 'AP', value: AP };
      await writeFile(join(directory, 'tested.json'), JSON.stringify({ metric: { AP: 1 - AP }, part: 'test', best }));
      await rename(join(directory, 'metrics.json'), join(directory, 'untested.json'));
      await rename(join(directory, 'tested.json'), join(directory, 'metrics.json'));
    }
    const tested = await compareRuns(directories);
    expect(tested).toMatchObject({
      score: 'AP on validation',
      note: expect.stringContaining('validation part') as unknown,
    });
    expect(tested.rows[0]!.name).toBe('train.lr.value=0.01');
    for (const directory of directories)
      await rename(join(directory, 'untested.json'), join(directory, 'metrics.json'));

    const printed: string[] = [];
    jest.spyOn(console, 'log').mockImplementation((line: string) => printed.push(line));
    expect(await run(['compare', ...directories])).toBe(0);
    expect(printed.join('\n')).toMatch(/train.lr.value=0.03 +2 +0.5150/);
    jest.restoreAllMocks();
    await expect(compareRuns([folder])).rejects.toMatchObject({ code: 'E_COMPARE_UNFINISHED' });
  });
});

const slow = process.env.FINETUNE_SLOW === '1' ? test : test.skip;
slow('a sweep goes on where runs are missing, takes in another seed, and says a failure once', async () => {
  const recipe = join(folder, 'swept.yaml');
  await writeFile(
    recipe,
    `task: detection
engine: wasm
data: { format: synthetic, root: ${join(folder, 'data')}, train: { images: 8 }, val: { images: 2 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { epochs: 1, batch: 4 }
report: { images: 0 }
`,
  );
  const directory = join(folder, 'swept');
  const over = ['--over', 'train.lr.value=0.01,0.02', '--out', directory];
  const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  const sweep = async (...more: string[]) => {
    const child = spawn(process.execPath, [command, 'sweep', recipe, ...over, ...more]);
    const [printed, said] = [child.stdout.toArray(), child.stderr.toArray()];
    const [code] = (await once(child, 'exit')) as [number];
    const text = async (parts: Promise<unknown[]>) => Buffer.concat((await parts) as Buffer[]).toString();
    return { code, printed: await text(printed), said: await text(said) };
  };
  expect((await sweep()).code).toBe(0);
  await rm(join(directory, 'train.lr.value=0.02-seed-1'), { recursive: true });
  const { said, printed } = await sweep('--seeds', '2');
  expect(said.match(/^\d\/4 .*$/gm)).toEqual([
    expect.stringContaining('2/4  train.lr.value=0.02 seed=1'),
    expect.stringContaining('3/4  train.lr.value=0.01 seed=2'),
    expect.stringContaining('4/4  train.lr.value=0.02 seed=2'),
  ]);
  expect(printed).toMatch(/train.lr.value=0.0[12] +2 /);
  const other = await sweep('--set', 'train.epochs=2');
  expect(other).toMatchObject({ code: 2, said: expect.stringContaining('train.epochs: 1 before, 2 now') });

  await rm(directory, { recursive: true });
  const failing = await sweep('--set', 'train.batch=9');
  expect(failing.code).toBe(1);
  expect(failing.said).toMatch(/^1\/2  failed:$[^]*E_DATA_TOO_FEW[^]*^2\/2  failed, as 1\/2 did$/m);
}, 240_000); // prettier-ignore
