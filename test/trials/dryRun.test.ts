import { expect, jest, test } from '@jest/globals';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linesOf } from '../../src/cli/dryRun.js';
import { run } from '../../src/cli/program.js';
import type { Forecast } from '../../src/trials/dryRun.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();
const forecast: Forecast = {
  engine: 'wasm 4', batch: 8, epochs: 24, stepsPerEpoch: 50, seconds: 3000, remarks: ['it is late'],
  parts: { ready: 3, step: 0.5, cachedStep: 0.1, evaluation: 12, checkpoint: 0.2 },
  memory: { needed: 2 ** 30, free: 2 ** 34 }, disk: { needed: 2 ** 20, free: 2 ** 40 },
}; // prettier-ignore

test('the forecast in words', () => {
  expect(linesOf(forecast).join('\n')).toBe(`one step of everything succeeded, on wasm 4
time    50.0 min: 24 epochs of 50 steps of 8 images
        a step 0.500 s, 0.100 s with cached features, an evaluation 12.0 s, a checkpoint 0.20 s, getting ready 3 s
memory  1024 MiB, of 16 GiB free
disk    1 MiB, of 1024 GiB free
it is late`);
});

const slow = process.env.FINETUNE_SLOW === '1' ? test : test.skip;
slow('--dry-run does one step of everything, says what the run would take, and leaves nothing behind', async () => {
  const file = join(folder, 'recipe.yaml');
  await writeFile(
    file,
    `task: detection
engine: wasm
out: ${join(folder, 'out', 'runs')}
data: { format: synthetic, root: ${join(folder, 'data')}, train: { images: 12 }, val: { images: 3 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { epochs: 7, batch: 4 }
evaluate: { batch: 2 }
`,
  );
  const lines: string[] = [];
  jest.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  expect(await run([file, '--dry-run', '--json'])).toBe(0);
  const found = JSON.parse(lines.at(-1)!) as Forecast;
  expect(found).toMatchObject({ batch: 4, epochs: 7, stepsPerEpoch: 3, remarks: [] });
  expect(found.seconds).toBeGreaterThan(7 * 3 * found.parts.step);
  expect(found.disk.needed).toBeGreaterThan(2 ** 20);
  expect(found.memory.needed).toBeGreaterThan(50 * 2 ** 20);
  expect((await readdir(folder)).sort()).toEqual(['data', 'recipe.yaml']);
  expect(await run([file, '--dry-run', '--resume', '--out', folder])).toBe(2);
}, 60_000); // prettier-ignore
