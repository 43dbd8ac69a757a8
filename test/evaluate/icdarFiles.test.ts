import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { limits } from '../../src/data/formats/text/icdarArchive.js';
import { readIcdar, type IcdarLayouts } from '../../src/evaluate/icdarFiles.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { writeFolder, writeZip } from './textData.js';

const dir = temporaryFolder();
let count = 0;
type Files = Readonly<Record<string, string | Uint8Array>>;

const read = (gt: Files, dt: Files, layouts?: IcdarLayouts) =>
  readIcdar(writeFolder(dir, `gt${++count}`, gt), writeFolder(dir, `dt${count}`, dt), layouts);
const wordsOf = async (text: string | Uint8Array) => (await read({ 'gt_img_1.txt': text }, {})).images[0]!.words;
const detectionsOf = async (text: string) =>
  (await read({ 'gt_img_1.txt': '0,0,1,0,1,1,0,1,a' }, { 'res_img_1.txt': text })).images[0]!.detections;

describe('ground truth', () => {
  test('2013: blanks or commas, texts in quotes', async () => {
    for (const line of [
      '38 43 920 215 "Tiredness, "',
      '38, 43, 920, 215, "Tiredness, "',
      '38\t43\t920\t215 "Tiredness, "',
    ])
      expect(await wordsOf(line)).toEqual([
        { isRectangle: true, points: [38, 43, 920, 215], transcription: 'Tiredness, ', dontCare: false },
      ]);
    expect(await wordsOf(String.raw`1 2 3 4 "say \"a\\b\""`)).toMatchObject([{ transcription: String.raw`say "a\b"` }]);
    expect(await wordsOf('1,2,3,4,"###"')).toMatchObject([{ dontCare: true }]);
  });

  test('2015: eight numbers, commas and numbers in the text, BOM, CRLF, empty lines', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => `0,0,${i + 1},0,9,9,0,9,word`);
    const text = `\uFEFF${[...lines, '0,0,9,0,9,9,0,9,1,000', '', '0,0,9,0,9,9,0,9,a, b', '0,0,9,0,9,9,0,9,2015'].join('\r\n')}\r\n`;
    const words = await wordsOf(text);
    expect(words.map(({ transcription }) => transcription).slice(-3)).toEqual(['1,000', 'a, b', '2015']);
    expect(new Set(words.map(({ points }) => points.length))).toEqual(new Set([8]));
  });

  test('polygons of any length: if they are certain or asked for, with or without a text, which may be a number', async () => {
    const star = '0,0,9,0,9,9,5,9,0,9';
    const lengthsOf = async (text: string, layouts?: IcdarLayouts) =>
      (await read({ 'gt_img_1.txt': text }, {}, layouts)).images[0]!.words.map(({ points }) => points.length);
    const totalText = { gtLayout: 'total-text' } as const;
    expect(await lengthsOf(`${star},a\n0,0,9,0,9,9,0,9,7`, totalText)).toEqual([10, 8]);
    expect(await lengthsOf(`${star},2,5,9\n${star},b`, totalText)).toEqual([12, 10]);
    expect(await lengthsOf(`${star},2,5,a\n${star},b`)).toEqual([12, 10]);
    expect(await lengthsOf(`${star}\n${star}`, { gtLayout: 'polygons' })).toEqual([10, 10]);
    expect(await lengthsOf('100,200,300,400,500,600,700,800')).toEqual([8]);
    for (const text of [`${star},a`, `${star}\n${star}`, '0,0,9,0,9,9,0,9,1,a'])
      await expect(lengthsOf(text)).rejects.toMatchObject({ code: 'E_ICDAR_LAYOUT' });
  });

  test('prices after quads are texts, as for the official script', async () => {
    const { images, notes } = await read({ 'gt_img_1.txt': '0,0,9,0,9,9,0,9,1,200\n0,0,9,0,9,9,0,9,3,450' }, {});
    expect(images[0]!.words.map(({ transcription }) => transcription)).toEqual(['1,200', '3,450']);
    expect(notes).toContain(
      'the ground truth is read as icdar2015, as the official script does; --gt-layout names another',
    );
  });

  test('the marks of 2017-MLT and RCTW-17 do not count', async () => {
    expect(await wordsOf('0,0,9,0,9,9,0,9,Latin,a\n0,0,9,0,9,9,0,9,None,###')).toMatchObject([{ dontCare: false }, { dontCare: true }]); // prettier-ignore
    expect(await wordsOf('0,0,9,0,9,9,0,9,0,"a"\n0,0,9,0,9,9,0,9,1,"b"')).toMatchObject([{ dontCare: false }, { dontCare: true }]); // prettier-ignore
  });
});

describe('results', () => {
  test('rectangles, quads and polygons, with and without a confidence', async () => {
    const found = await detectionsOf(
      '1,2,3,4\n1,2,3,4,0.5\n0,0,1,0,1,1,0,1\n0,0,1,0,1,1,0,1,1e-3\n0 0 1 0 1 1 0 1 0 0 .25',
    );
    expect(found.map(({ points, confidence }) => [points.length, confidence])).toEqual([
      [4, undefined],
      [4, 0.5],
      [8, undefined],
      [8, 0.001],
      [10, 0.25],
    ]);
  });

  test('missing files are no detections, and that is said; so is a text after the numbers', async () => {
    const { images, notes } = await read(
      { 'gt_img_1.txt': '0,0,1,0,1,1,0,1,a', 'gt_img_2.txt': '' },
      { 'res_img_2.txt': '0,0,1,0,1,1,0,1,word' },
    );
    expect(images.map(({ id, detections }) => [id, detections.length])).toEqual([['1', 0], ['2', 1]]); // prettier-ignore
    expect(notes.join('\n')).toContain('1 of 2 images have no result file');
    expect(notes.join('\n')).toContain('1 detection lines with a text');
  });

  test('prices after quads are a question, which the layout answers', async () => {
    const files = [{ 'gt_1.txt': '' }, { 'res_1.txt': '0,0,9,0,9,9,0,9,1,200' }] as const;
    await expect(read(...files)).rejects.toMatchObject({ code: 'E_ICDAR_LAYOUT' });
    const words = { 'res_1.txt': '0,0,9,0,9,9,0,9,word\n0,0,9,0,9,9,0,9,1,2,3' };
    await expect(read(files[0], words)).rejects.toMatchObject({ problems: [{ code: 'E_ICDAR_LAYOUT', where: { line: 2 } }] }); // prettier-ignore
    expect((await read(...files, { dtLayout: 'quads' })).images[0]!.detections).toMatchObject([
      { points: { length: 8 } },
    ]);
    expect((await read(...files, { dtLayout: 'polygons' })).images[0]!.detections).toMatchObject([{ points: { length: 10 } }]); // prettier-ignore
  });

  test('outlines that cross themselves are counted', async () => {
    const [square, bow] = ['0,0,9,0,9,9,0,9', '0,0,9,0,0,9,9,9'];
    const { notes } = await read({ 'gt_1.txt': `${square},a` }, { 'res_1.txt': `${bow}\n${square}` });
    expect(notes).toEqual([expect.stringMatching(/^1 of 2 outlines of the results cross themselves/)]);
  });

  test('1 and 001 are two images', async () => {
    const [a, b] = ['0,0,1,0,1,1,0,1', '5,5,6,5,6,6,5,6'];
    const { images } = await read(
      { 'gt_1.txt': `${a},a`, 'gt_001.txt': `${b},b` },
      { 'res_1.txt': a, 'res_001.txt': b },
    );
    expect(images.map(({ id, detections }) => [id, detections[0]!.points[0]])).toEqual([['001', 5], ['1', 0]]); // prettier-ignore
  });

  test('names: gt_1 and poly_gt_img01 are img_1, folders in zips and macOS litter do not matter', async () => {
    const gt = writeZip(dir, 'names-gt.zip', {
      'a/b/poly_gt_img01.txt': '',
      'gt_2.txt': '',
      'x.jpg': '',
      '__MACOSX/._gt_2.txt': 'x',
    });
    const dt = writeZip(dir, 'names-dt.zip', { 'res_img_1.txt': '', 'res_img_2.txt': '' });
    expect((await readIcdar(gt, dt)).images.map(({ id }) => id)).toEqual(['1', '2']);
  });
});

describe('what is wrong is located', () => {
  const gt = { 'gt_img_1.txt': '0,0,1,0,1,1,0,1,a' };

  test.each([
    ['1,2,3', 'E_ICDAR_LINE', 'found 3 numbers'],
    ['0,0,1,0,1,1,0', 'E_ICDAR_LINE', 'found 7 numbers'],
    ['0,0,1,nan,1,1,0,1', 'E_ICDAR_LINE', 'found 3 numbers before "nan,1,1,0,1"'],
    ['0,0,1,0,1,1,0,1,NaN', 'E_ICDAR_LINE', '"NaN" is not a number'],
    ['0,0,1e300,0,1,1,0,1', 'E_ICDAR_LINE', '1e+300 is too large for a pixel coordinate'],
    ['5,0,1,9', 'E_ICDAR_BOX', 'right (1) < left (5)'],
    ['{"a": 1}', 'E_ICDAR_LINE', 'found 0 numbers'],
  ])('detection %s', async (line, code, message) => {
    const problem = { code, message: expect.stringContaining(message) as unknown, where: { line: 2 } };
    await expect(read(gt, { 'res_img_1.txt': `0,0,1,0,1,1,0,1\n${line}` })).rejects.toMatchObject({
      problems: [problem],
    });
  });

  test('a line of the ground truth with too few numbers', async () => {
    const text = '0,0,1,0,1,1,0,1,a\n0,0,1,0,1,1,0,1,b\n0,0,1,0,1,1,a';
    await expect(read({ 'gt_img_1.txt': text }, {})).rejects.toMatchObject({ problems: [{ code: 'E_ICDAR_LINE', where: { line: 3 } }] }); // prettier-ignore
  });

  test.each([
    ['UTF-32', Buffer.from('\uFEFF\0', 'utf16le'), 'the file is UTF-32', 1],
    ['Latin-1', Buffer.from('0,0,1,0,1,1,0,1\n0,0,1,0,1,1,0,1,caf\xe9', 'latin1'), 'not UTF-8', 2],
    ['binary', Uint8Array.of(48, 10, 0, 1, 1), 'a zero byte', 2],
  ])('%s', async (_name, bytes, message, line) => {
    const problem = { code: 'E_ENCODING', message: expect.stringContaining(message) as unknown, where: { line } };
    await expect(read(gt, { 'res_img_1.txt': bytes })).rejects.toMatchObject({ problems: [problem] });
  });

  test('UTF-16 is read', async () => {
    const { images } = await read(gt, { 'res_img_1.txt': Buffer.from('\uFEFF0,0,1,1', 'utf16le') });
    expect(images[0]!.detections).toHaveLength(1);
  });

  test('every file that cannot be decoded is listed', async () => {
    const bad = Uint8Array.of(0xe9, 10);
    const files = [{ 'gt_1.txt': bad, 'gt_2.txt': bad }, { 'res_1.txt': bad }] as const;
    await expect(read(...files)).rejects.toMatchObject({ problems: Array(3).fill({ code: 'E_ENCODING' }) });
  });

  test('a result of an image without ground truth, two files of one image, an empty folder, none at all', async () => {
    await expect(read(gt, { 'res_img_9.txt': '' })).rejects.toMatchObject({ code: 'E_ICDAR_SAMPLE' });
    await expect(read(gt, { 'res_img_1.txt': '', 'res_1.txt': '' })).rejects.toMatchObject({ code: 'E_ICDAR_NAME' });
    await expect(read({}, {})).rejects.toMatchObject({ code: 'E_ICDAR_FILE' });
    await expect(readIcdar(join(dir, 'nowhere'), dir)).rejects.toMatchObject({ code: 'E_ICDAR_FILE' });
  });
});

describe('zips that are traps', () => {
  const truth = writeFolder(dir, 'truth', { 'gt_img_1.txt': '' });
  const zip = (name: string, bytes: Uint8Array) => {
    const path = join(dir, name);
    writeFileSync(path, bytes);
    return readIcdar(truth, path);
  };
  const text = new TextEncoder().encode('0,0,1,0,1,1,0,1\n'.repeat(50));

  test('a name that leads out', async () => {
    const error = {
      code: 'E_ICDAR_ZIP',
      message: expect.stringContaining('"../res_img_1.txt" leads out of the zip') as unknown,
    };
    await expect(zip('out.zip', zipSync({ '../res_img_1.txt': text }))).rejects.toMatchObject(error);
    await expect(zip('root.zip', zipSync({ '/res_img_1.txt': text }))).rejects.toMatchObject({ code: 'E_ICDAR_ZIP' });
  });

  test('a bomb, honest about its size or not', async () => {
    const bomb = zipSync({ 'res_img_1.txt': new Uint8Array(limits.fileBytes + 1).fill(32) });
    await expect(zip('bomb.zip', bomb)).rejects.toMatchObject({ code: 'E_ICDAR_LIMIT' });
    const directory = Buffer.from(bomb).lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
    new DataView(bomb.buffer, bomb.byteOffset).setUint32(directory + 24, 10, true); // uncompressed size in the directory
    await expect(zip('liar.zip', bomb)).rejects.toMatchObject({ code: 'E_ICDAR_ZIP' });
  });

  test('cut off, changed anywhere, or no zip', async () => {
    const good = zipSync({ 'res_img_1.txt': text });
    expect((await zip('good.zip', good)).images[0]!.detections).toHaveLength(50);
    for (let length = 0; length < good.length; length += 7)
      await expect(zip('cut.zip', good.subarray(0, length))).rejects.toMatchObject({ code: 'E_ICDAR_ZIP' });
    for (let at = 0; at < good.length; at++) {
      const changed = Uint8Array.from(good);
      changed[at]! ^= 0xff;
      const outcome = await zip('changed.zip', changed).then(() => 'read', (error: unknown) => (error as Error).name); // prettier-ignore
      expect(['read', 'FinetuneError']).toContain(outcome);
    }
  });

  test('a folder in the place of a file', async () => {
    mkdirSync(join(dir, 'folders', 'res_img_1.txt'), { recursive: true });
    expect((await readIcdar(truth, join(dir, 'folders'))).images[0]!.detections).toEqual([]);
    expect(readFileSync(join(truth, 'gt_img_1.txt'), 'utf8')).toBe('');
  });
});
