import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anchorRemark, checkAnchors, type AnchorCheck } from '../../src/trials/anchorCheck.js';
import { run } from '../../src/cli/program.js';
import { openDatasets } from '../../src/data/dataset.js';
import { loadRecipe } from '../../src/recipe/load.js';
import type { DetectionRecipe } from '../../src/run/detectionRecipe.js';
import { randomStream } from '../../src/random.js';

let folder: string;
/** A COCO folder; no image is ever decoded. Two kinds of objects: many small ones, some tall ones. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetune-anchors-'));
  const random = randomStream(3, 'boxes');
  const images = Array.from({ length: 40 }, (_, i) => ({ id: i + 1, file_name: `${i}.jpg`, width: 640, height: 480 }));
  const annotations = images.flatMap(({ id }) =>
    [0, 1, 2, 3].map((k) => {
      const [w, h] =
        k < 3 ? [random.uniform(18, 30), random.uniform(18, 30)] : [random.uniform(60, 90), random.uniform(200, 300)];
      const bbox = [random.uniform(0, 640 - w), random.uniform(0, 480 - h), w, h];
      return { id: id * 10 + k, image_id: id, category_id: 1, bbox, area: w * h, iscrowd: 0 };
    }),
  );
  const part = { images, annotations, categories: [{ id: 1, name: 'thing' }] };
  await writeFile(join(folder, 'boxes.json'), JSON.stringify(part));
  await Promise.all(images.map(({ file_name }) => writeFile(join(folder, file_name), '')));
});
afterAll(() => rm(folder, { recursive: true }));

async function checked(text: string): Promise<AnchorCheck> {
  const file = join(folder, 'checked.yaml');
  await writeFile(file, text);
  const recipe = (await loadRecipe(file)) as DetectionRecipe;
  return checkAnchors(recipe, (await openDatasets(recipe.data)).train)!;
}

const recipeOf = (resize: string): string => `task: detection
data:
  format: coco
  root: ${folder}
  resize: ${resize}
  train: { annotations: boxes.json, images: . }
  val: { annotations: boxes.json, images: . }
`;
const fits = { ssdlite: ['stretch', 'letterbox'], retinanet: ['letterbox'], fasterRcnn: ['stretch'] };
const heads = Object.entries(fits).flatMap(([head, resizes]) => resizes.map((resize) => [head, resize] as const));

describe.each(heads)('finetune anchors, head %s, %s', (head, resize) => {
  const model = `model:\n  head: ${head}\n  backbone: mobilenetv2_035\n`;

  test('prints a block that loads and gives what was printed', async () => {
    const base = join(folder, 'base.yaml');
    await writeFile(base, recipeOf(resize) + model);
    const printed: string[] = [];
    jest.spyOn(console, 'log').mockImplementation((line: string) => printed.push(line));
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
    expect([await run(['anchors', base]), await run(['anchors', base, '--json'])]).toEqual([0, 0]);
    jest.restoreAllMocks();
    const [block, json] = printed as [string, string];
    const { before, after } = JSON.parse(json) as Record<'before' | 'after', AnchorCheck['now']>;
    const plain = JSON.parse(JSON.stringify(await checked(recipeOf(resize) + model))) as AnchorCheck;
    expect(plain.now).toEqual(before);
    const pasted = await checked(recipeOf(resize) + block.replace('model:\n', model));
    expect(JSON.parse(JSON.stringify(pasted.now))).toEqual(after);
    expect(after.all.recall + after.all.meanIou).toBeGreaterThan(before.all.recall + before.all.meanIou);
  });
});

test('check names what would reach the small objects, best first', async () => {
  const check = await checked(`${recipeOf('letterbox')}model: { backbone: mobilenetv2_035 }\n`);
  expect(check.now.small.objects).toBe(120);
  expect(check.alternatives.map(({ change }) => change)).toEqual([
    'model.finestStride: 8',
    'data.size: 480',
    'model.anchors (finetune anchors prints them)',
  ]);
  const { code, message, fix } = anchorRemark(check)!;
  expect(code).toBe('W_ANCHOR_RECALL');
  expect(message).toMatch(/^\d+ % of the 120 small objects have an anchor that overlaps them by IoU 0.5$/);
  const shares = [...fix!.matchAll(/\((\d+) %\)/g)].map(([, share]) => Number(share));
  expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  expect(fix).toContain('model.finestStride: 8');
  const idle = [{ change: 'model.finestStride: 8', ceiling: check.now }];
  expect(anchorRemark({ ...check, alternatives: idle })).toBeUndefined();
});

test.each([
  [['--n', '3,2'], 'E_ANCHOR_COUNTS'],
  [['--n', 'six'], 'E_USAGE'],
  [['--set', 'model.head=yolov1'], 'E_ANCHOR_HEAD'],
  [['--n', '6', '--set', 'model.head=retinanet'], 'E_ANCHOR_COUNTS'],
])('%j is a usage error', async (more, code) => {
  const file = join(folder, 'usage.yaml');
  await writeFile(file, `${recipeOf('stretch')}model: { backbone: mobilenetv2_035 }\n`);
  const said: string[] = [];
  jest.spyOn(console, 'error').mockImplementation((line: string) => said.push(line));
  expect(await run(['anchors', file, ...more])).toBe(2);
  jest.restoreAllMocks();
  expect(said.join('\n')).toContain(code);
});
