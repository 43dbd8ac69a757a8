import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tinyBackbone } from '../tinyBackbone.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PHOTO = 'path/to/VOC/images/val/000001.jpg';
let project: string;

/** A project that has the package, and a recipe by the name in README. Its images are drawn when it runs. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'snippets-'));
  for (const folder of ['node_modules', 'recipes']) await mkdir(join(project, folder));
  await symlink(root, join(project, 'node_modules', 'tfjs-finetune'));
  await writeFile(
    join(project, 'recipes', 'ssdlite-voc.yaml'),
    `
task: detection
engine: wasm
data: { format: synthetic, root: elsewhere, train: { images: 8 }, val: { images: 3 }, size: 96 }
model: { backbone: ${tinyBackbone} }
train: { epochs: 2, batch: 4, warmup: { epochs: 0 }, lr: { value: 0.02, perBatch: 4 } }
report: { images: 0 }
`,
  );
});
afterAll(() => rm(project, { recursive: true }));

const node = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, args, { cwd: project })).stdout;

test("README's program trains, and finds in a photo what the evaluation of the run finds in it", async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const [program] = /```ts\n([^]*?)```/.exec(readme)![1]!.split('\nconst classifier'); // whose weights are on the network
  await writeFile(
    join(project, 'program.mjs'),
    `${program!.replace("'photo.jpg'", `'${PHOTO}'`).replace('openModel(directory)', 'openModel(directory, { scoreThreshold: 0.05 })')}\nconsole.log(JSON.stringify({ directory, objects }));`,
  );
  const { directory, objects } = JSON.parse((await node('program.mjs')).trim().split('\n').at(-1)!) as {
    directory: string;
    objects: readonly { categoryId: number; score: number; box: number[] }[];
  };

  const score: unknown = JSON.parse(await node(join(root, 'dist/cli/main.js'), 'eval', directory, '--json'));
  const metrics = JSON.parse(await readFile(join(directory, 'metrics.json'), 'utf8')) as { metric: object };
  expect(score).toMatchObject(metrics.metric);
  const predictions = JSON.parse(await readFile(join(directory, 'predictions.json'), 'utf8')) as readonly {
    file_name: string;
    category_id: number;
    score: number;
    bbox: number[];
  }[];
  const evaluated = predictions
    .filter(({ file_name, score }) => PHOTO.endsWith(file_name) && score >= 0.05)
    .map(({ category_id, score, bbox }) => ({ categoryId: category_id, score, box: bbox }))
    .sort((a, b) => b.score - a.score);
  expect(evaluated.length).toBeGreaterThan(3);
  const rounded = ({ categoryId, score, box }: (typeof objects)[number]) =>
    JSON.stringify([categoryId, score.toFixed(4), ...box.map((value) => value.toFixed(2))]);
  expect(objects.map(rounded)).toEqual(evaluated.map(rounded));
}, 300_000);
