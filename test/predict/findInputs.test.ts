import { beforeAll, expect, test } from '@jest/globals';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findInputs } from '../../src/predict/inputs/findInputs.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const folder = temporaryFolder();
const below = (name: string) => join(folder, name);

beforeAll(async () => {
  for (const dir of ['photos/cats', 'photos/.hidden', 'photos/out', 'texts'])
    await mkdir(below(dir), { recursive: true });
  const files = [
    '10.jpg',
    '2.JPG',
    'cats/a.png',
    'cats/b[1].webp',
    'notes.txt',
    '.hidden/x.jpg',
    'out/2.JPG',
    'data.dat',
  ];
  for (const name of files) await writeFile(below(`photos/${name}`), '');
  await writeFile(below('texts/a.txt'), '');
  await symlink(below('photos'), below('photos/cats/loop'));
  await symlink(below('nowhere.jpg'), below('photos/cats/lost.jpg'));
  await writeFile(Buffer.concat([Buffer.from(below('photos/cats/')), Buffer.of(0xff), Buffer.from('.jpg')]), '');
});

const names = async (args: readonly string[], options = {}): Promise<string[]> => {
  const found = await findInputs(args, options);
  return found.map(({ name }) => (name.startsWith(folder) ? name.slice(folder.length + 1) : name));
};

test('a folder gives the images below it in the order of their numbers, once, whatever its links are', async () => {
  const cats = ['photos/cats/a.png', 'photos/cats/b[1].webp', 'photos/cats/lost.jpg', 'photos/cats/\ufffd.jpg'];
  expect(await names([below('photos')], { without: below('photos/out') })).toEqual([
    'photos/2.JPG',
    'photos/10.jpg',
    ...cats,
  ]);
});

test('a name that is not UTF-8 keeps its bytes', async () => {
  const found = await findInputs([below('photos/cats')]);
  const [odd] = found.filter(({ name }) => name.endsWith('\ufffd.jpg'));
  const bytes = Buffer.concat([Buffer.from(below('photos/cats/')), Buffer.of(0xff), Buffer.from('.jpg')]);
  expect((odd as { path: Buffer }).path.equals(bytes)).toBe(true);
});

test.each([
  ['photos/*.jpg', ['photos/10.jpg']],
  ['photos/*', ['photos/2.JPG', 'photos/10.jpg']],
  ['photos/*.dat', ['photos/data.dat']],
  ['photos/**/*.{png,webp}', ['photos/cats/a.png', 'photos/cats/b[1].webp']],
  ['photos/c?ts/a.png', ['photos/cats/a.png']],
  ['photos/cats/b[1].webp', ['photos/cats/b[1].webp']], // a name that exists is no pattern
  ['photos/data.dat', ['photos/data.dat']], // a file that is named is taken, whatever its ending is
])('%s gives %j', async (pattern, expected) => {
  expect(await names([below(pattern)])).toEqual(expected);
});

test('files are listed once, in the order of the arguments, and stdin among them', async () => {
  const args = [below('photos/cats/a.png'), '-', below('photos/cats/../cats/a.png'), below('photos/*.jpg'), '-'];
  expect(await names(args)).toEqual(['photos/cats/a.png', '-', 'photos/10.jpg']);
});

test('what names no image is listed in its place where others do', async () => {
  const found = await findInputs([
    below('photos/1O.jpg'),
    below('texts'),
    below('photos/*.gif'),
    below('photos/10.jpg'),
  ]);
  expect(found.map((one) => ('error' in one ? one.error.code : one.name))).toEqual([
    'E_IMAGE_MISSING',
    'E_PREDICT_INPUT',
    'E_PREDICT_INPUT',
    below('photos/10.jpg'),
  ]);
  expect('error' in found[0]! && found[0].error.message).toContain('did you mean "10.jpg"');
});

test('if no argument names an image, each is an error', async () => {
  await expect(findInputs([below('texts'), below('none/*.jpg')])).rejects.toMatchObject({
    code: 'E_PREDICT_INPUT',
    problems: [{ where: { file: below('texts') } }, { where: { file: below('none/*.jpg') } }],
  });
});
