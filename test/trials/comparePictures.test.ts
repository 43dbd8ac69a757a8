import { beforeAll, expect, jest, test } from '@jest/globals';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { run } from '../../src/cli/program.js';
import { comparisonPage } from '../../src/trials/comparePictures.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const root = temporaryFolder();
const IMAGES = ['alike.png', 'differing.png', 'missed.png'];
const [LEFT, RIGHT] = [
  [2, 2, 20, 20],
  [40, 10, 16, 24],
] as const;
const found = (image: number, bbox: readonly number[], score = 0.9) => ({
  image_id: image + 1,
  category_id: 1,
  bbox,
  score,
});

/** A folder as a finished run leaves it. */
async function writeRun(name: string, predictions: readonly object[], recipe = '', part = 'val'): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  const labels =
    '{format: coco, root: .., train: {images: ., annotations: labels.json}, val: {images: ., annotations: labels.json}}';
  await writeFile(join(folder, 'recipe.yaml'), `task: detection\ndata: ${labels}\n${recipe}`);
  await writeFile(join(folder, 'metrics.json'), JSON.stringify({ part, metric: { AP: 0.5 } }));
  await writeFile(join(folder, 'predictions.json'), JSON.stringify(predictions));
  return folder;
}

let runs: [string, string];

beforeAll(async () => {
  for (const stream of ['log', 'error'] as const) jest.spyOn(console, stream).mockReturnValue();
  const grey = sharp({ create: { width: 64, height: 48, channels: 3, background: '#888' } });
  for (const name of IMAGES) await grey.clone().png().toFile(join(root, name));
  const images = IMAGES.map((file_name, i) => ({ id: i + 1, file_name, width: 64, height: 48 }));
  const annotations = [LEFT, LEFT, RIGHT].map((bbox, i) => ({ id: i + 1, image_id: i + 1, category_id: 1, bbox }));
  await writeFile(
    join(root, 'labels.json'),
    JSON.stringify({ images, annotations, categories: [{ id: 1, name: 'cell' }] }),
  );
  runs = [
    await writeRun('good', [found(0, LEFT), found(1, LEFT), found(2, RIGHT)]),
    await writeRun('bad', [found(0, LEFT, 0.8), found(1, RIGHT), found(2, RIGHT, 0.1)], 'seed: 2\n'),
  ];
});

test('compare --pictures shows first where two runs differ, one column for each', async () => {
  const page = join(root, 'pages', 'differences.html');
  expect(await run(['compare', ...runs, '--pictures', page, '--images', '2'])).toBe(0);
  const text = (await readFile(page, 'utf8')).replaceAll(/\s+/g, ' ');
  expect(text).toContain('<h1>good beside bad</h1>');
  expect(text).toContain('2 of 3 images');
  const captions = [...text.matchAll(/<figcaption><b>([^<]*)<\/b> ([^<]*)<\/figcaption>/g)].map(([, ...rest]) => rest);
  expect(captions).toEqual([
    ['differing.png (id 2)', 'boxes that only one of the two finds: 2'],
    ['missed.png (id 3)', 'boxes that only one of the two finds: 1'],
  ]);
  expect(text).toContain('cell (missed)');
  expect(text).not.toContain(root);
});

test('says why two runs cannot be drawn', async () => {
  const other = await writeRun('elsewhere', [], 'evaluate: {batch: 2}\n');
  await writeFile(
    join(other, 'recipe.yaml'),
    (await readFile(join(other, 'recipe.yaml'), 'utf8')).replaceAll('labels.json', 'fewer.json'),
  );
  await writeFile(
    join(root, 'fewer.json'),
    JSON.stringify({
      images: [{ id: 1, file_name: IMAGES[0], width: 64, height: 48 }],
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: LEFT }],
      categories: [{ id: 1, name: 'cell' }],
    }),
  );
  const options = { images: 2 };
  await expect(comparisonPage([runs[0], other], options)).rejects.toMatchObject({ code: 'E_COMPARE_PICTURES' });
  await expect(comparisonPage([runs[0], root], options)).rejects.toMatchObject({ code: 'E_COMPARE_UNFINISHED' });
  expect(await run(['compare', runs[0], '--pictures', join(root, 'one.html')])).toBe(2);
});
