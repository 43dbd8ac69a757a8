import { describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { createFindings } from '../../../src/data/findings.js';
import { readIcdarPart, type IcdarPart } from '../../../src/data/formats/text/icdar.js';
import { layoutNames, type LayoutName } from '../../../src/data/formats/text/layouts.js';
import { temporaryFolder } from '../temporaryFolder.js';

const dir = temporaryFolder();
let count = 0;
type Texts = Readonly<Record<string, string>>;

/** Writes text files, and images of these names. */
async function part(texts: Texts, images: readonly string[] = ['img_1.jpg']): Promise<IcdarPart> {
  const root = join(dir, String(++count));
  for (const folder of ['images', 'gt']) mkdirSync(join(root, folder), { recursive: true });
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(root, 'gt', name), text);
  for (const image of images) {
    const blank = { create: { width: 320, height: 240, channels: 3 as const, background: '#888' } };
    await sharp(blank)
      .jpeg()
      .toFile(join(root, 'images', image));
  }
  return { images: join(root, 'images'), truth: join(root, 'gt'), name: 'train' };
}

interface Found {
  /** Words as `text:x1,y1,…`, or `###` for one that does not count, by image. */
  readonly words: Readonly<Record<string, readonly string[]>>;
  readonly problems: readonly string[];
  readonly dropped: Readonly<Record<string, number>>;
}

async function read(made: IcdarPart, options: Partial<IcdarPart> = {}): Promise<Found> {
  const findings = createFindings();
  const { annotations } = await readIcdarPart({ ...made, ...options }, findings);
  const words = annotations.map(({ file, words }) => {
    const listed = words.map(({ text, outline, dontCare }) => (dontCare ? '###' : `${text}:${outline.join(',')}`));
    return [basename(file), listed] as const;
  });
  const problems = findings.problems().map(({ code, message }) => `${code} ${message}`);
  return { words: Object.fromEntries(words), problems, dropped: findings.dropped };
}

const lines = async (text: string, layout?: LayoutName, more: Partial<IcdarPart> = {}) => {
  const { words, problems } = await read(await part({ 'gt_img_1.txt': text }), { ...(layout && { layout }), ...more });
  return problems.length > 0 ? problems : words['img_1.jpg'];
};

const quad = '10,10,110,10,110,40,10,40';
const hexagon = '20,20,70,18,120,20,120,50,70,52,20,50';
const offsets = '20,20,120,50,0,0,16,0,33,0,50,0,66,0,83,0,100,0,100,30,83,30,66,30,50,30,33,30,16,30,0,30';
const curve = '20,20,36,20,53,20,70,20,86,20,103,20,120,20,120,50,103,50,86,50,70,50,53,50,36,50,20,50';
const native = (text: string, ornt = 'c') =>
  `x: [[20 70 120 120 70 20]], y: [[20 18 20\n 50 52 50]], ornt: [u'${ornt}'], transcriptions: [${text}]`;

describe('each layout has its own text and its own mark of don’t care', () => {
  const cases: readonly [LayoutName, string, readonly string[]][] = [
    ['icdar2013', '10 10 110 40 "1,200"\n5 5 15 25 "###"', [`1,200:${quad}`, '###']],
    ['icdar2015', `${quad},1,250,000\n${quad},###\n${quad},#`, [`1,250,000:${quad}`, '###', `#:${quad}`]],
    ['icdar2017-mlt', `${quad},Latin,1,200\n${quad},None,###`, [`1,200:${quad}`, '###']],
    [
      'icdar2019-art',
      `${quad},Latin,a\n${hexagon},Chinese,世界\n${quad},Latin,###`,
      [`a:${quad}`, `世界:${hexagon}`, '###'],
    ],
    ['rctw-17', `${quad},0,"1,200"\n${quad},1,"店"\n${quad},0,"###"`, [`1,200:${quad}`, '###', '###']],
    ['total-text', `${hexagon},HELLO\n${hexagon},"1,200"\n${hexagon},1999\n${hexagon},#`, [`HELLO:${hexagon}`, `1,200:${hexagon}`, `1999:${hexagon}`, '###']], // prettier-ignore
    ['total-text-native', `${native("u'1,200'")}\n${native(`u"DON'T"`)}\n${native("u'caf\\xe9'")}\n${native("u'#'", '#')}`, [`1,200:${hexagon}`, `DON'T:${hexagon}`, `café:${hexagon}`, '###']], // prettier-ignore
    ['ctw1500', `${curve},####HELLO, 1,200\n${curve},#######\n${hexagon},####A`, [`HELLO, 1,200:${curve}`, '###', `A:${hexagon}`]], // prettier-ignore
    ['ctw1500-offsets', offsets, [`:${curve}`]],
    ['polygons', `${hexagon}\n${quad}`, [`:${hexagon}`, `:${quad}`]],
  ];
  test('the table is complete', () => expect(cases.map(([name]) => name)).toEqual(layoutNames));
  test.each(cases)('%s', async (layout, text, words) => expect(await lines(text, layout)).toEqual(words));

  const decided = cases.filter(([name]) => name !== 'icdar2015' && name !== 'polygons');
  test.each(decided)('%s is found without its name', async (_layout, text, words) =>
    expect(await lines(text)).toEqual(words),
  );
});

describe('`auto` decides where one reading is possible for every line', () => {
  test.each([
    ['words and prices', `${quad},HELLO\n${quad},1,200\n${quad},###`, [`HELLO:${quad}`, `1,200:${quad}`, '###']],
    ['prices with two separators', `${quad},1,250,000\n${quad},7,999`, [`1,250,000:${quad}`, `7,999:${quad}`]],
    ['a number and a unit', `${quad},1,200 kg\n${quad},2015`, [`1,200 kg:${quad}`, `2015:${quad}`]],
    ['quads and longer polygons', `${quad},A\n${hexagon},B`, [`A:${quad}`, `B:${hexagon}`]],
    ['a country after a comma', `${quad},Latin,America\n${quad},x`, [`Latin,America:${quad}`, `x:${quad}`]],
  ])('%s', async (_name, text, words) => expect(await lines(text)).toEqual(words));

  test.each([
    ['prices alone', `${quad},1,200\n${quad},3,450`, 'icdar2015: 4 points and the text "1,200"; or as polygons: 5 points and no text'], // prettier-ignore
    ['two numbers before a text', `${quad},1,2,a`, 'icdar2015: 4 points and the text "1,2,a"; or as total-text: 5 points and the text "a"'], // prettier-ignore
    ['a #', `${quad},HELLO\n${quad},#`, 'icdar2015: 4 points and the text "#"; or as total-text: 4 points and a mark of don’t care'], // prettier-ignore
    ['0 or 1 before every text', `${quad},0,a\n${quad},1,b`, 'icdar2015: 4 points and the text "0,a"; or as rctw-17: 4 points and the text "a"'], // prettier-ignore
    ['a long price', `${quad},1,250,300`, 'icdar2015: 4 points and the text "1,250,300"; or as total-text: 5 points and the text "300"'], // prettier-ignore
  ])('%s: a question', async (_name, text, readings) =>
    expect(await lines(text)).toEqual([`E_ICDAR_LAYOUT the line can be read as ${readings}`]),
  );

  test.each([`${quad},A\n${quad},None,###`, `${quad},A\n${quad},####B`, `${quad},A\n${quad},1,"###"`])(
    'the mark of another layout among words is a question: %j',
    async (text) => expect(await lines(text)).toEqual([expect.stringMatching(/^E_ICDAR_LAYOUT ".*" can be a word/)]),
  );

  test('a line without the mark that most lines have is a question', async () => {
    const [problem] = (await lines(`${quad},Latin,a\n${quad},Korean,b\n${quad},c`)) as string[];
    expect(problem).toMatch(/^E_ICDAR_LAYOUT 2 of 3 lines look like icdar2017-mlt .*, but this one does not$/);
  });

  test('lines of no layout are one problem', async () => {
    expect(await lines('10;10;110;10;110;40;10;40;a\n{}')).toEqual(['E_ICDAR_LAYOUT no line is of a known layout; this one has 0 numbers before "10;10;110;10;110;40;10;40;a"']); // prettier-ignore
  });

  test('numbers after a polygon are a question, and quotes answer it', async () => {
    const [problem] = (await lines(`${hexagon},HELLO\n${hexagon},1,200`)) as string[];
    expect(problem).toContain('14 numbers can be 7 points without a text, or 6 points and the text "1,200"');
    expect(await lines(`${hexagon},HELLO\n${hexagon},"1,200"`)).toEqual([`HELLO:${hexagon}`, `1,200:${hexagon}`]);
  });

  test('it is decided for the whole folder, also where some of its images are held out', async () => {
    const texts = { 'gt_img_1.txt': `${quad},A`, 'gt_img_2.txt': `${quad},1,200`, 'gt_img_3.txt': `${quad},7,999` };
    const made = await part(texts, ['img_1.jpg', 'img_2.jpg', 'img_3.jpg']);
    const { words } = await read(made, { keep: (i) => i === 2 });
    expect(words).toEqual({ 'img_3.jpg': [`7,999:${quad}`] });
  });
});

test('a layout that does not fit is an error, not another reading', async () => {
  expect(await lines(`${quad},HELLO`, 'icdar2013')).toContainEqual(
    expect.stringMatching(/^E_ICDAR_LAYOUT 1 of 1 lines/),
  );
  expect(await lines(`${hexagon},HELLO`, 'icdar2015')).toContainEqual(expect.stringMatching(/^E_ICDAR_LAYOUT/));
  expect(await lines(`${quad},HELLO`, 'icdar2017-mlt')).toEqual([expect.stringMatching(/^E_ICDAR_LINE expected 8 numbers, then the script/)]); // prettier-ignore
  expect(await lines(offsets.replace('20,20,', '90,20,'), 'ctw1500-offsets')).toEqual([expect.stringMatching(/^E_ICDAR_LINE/)]); // prettier-ignore
});

test('polygons without transcriptions need to be told', async () => {
  const text = `${hexagon}\n${hexagon}`;
  expect(await lines(text)).toEqual([`:${hexagon}`, `:${hexagon}`]);
  expect(await lines(text, 'total-text', { transcriptions: false })).toEqual([`:${hexagon}`, `:${hexagon}`]);
  expect(await lines(text, 'total-text')).toContainEqual(expect.stringContaining('12 numbers can be 6 points'));
});

test('the XML of CTW1500’s training part, and the JSON of ICDAR 2019-ArT', async () => {
  const box = (label: string) => `<box height="30" left="20" top="20" width="100"><label>${label}</label><segs>${curve}</segs></box>`; // prettier-ignore
  const xml = `<Annotations>\n<image file="0001.jpg">\n${box('A &amp; B')}\n${box('###')}</image></Annotations>`;
  const ctw = await read(await part({ '0001.xml': xml }, ['0001.jpg']));
  expect(ctw).toMatchObject({ words: { '0001.jpg': [`A & B:${curve}`, '###'] }, problems: [] });

  const made = await part({}, ['gt_1.jpg']);
  const truth = join(made.images, '..', 'train_labels.json');
  const points = [[10, 10], [110, 10], [110, 40], [10, 40]]; // prettier-ignore
  const word = { points, transcription: '1,200', language: 'Latin', illegibility: false };
  writeFileSync(truth, JSON.stringify({ gt_1: [word, { ...word, illegibility: true }] }));
  const art = await read({ ...made, truth });
  expect(art).toMatchObject({ words: { 'gt_1.jpg': [`1,200:${quad}`, '###'] }, problems: [] });
  writeFileSync(truth, '{"gt_1": [{}]}');
  await expect(read({ ...made, truth })).rejects.toMatchObject({ code: 'E_ICDAR_FILE' });
});

describe('names of images', () => {
  const word = (text: string) => `${quad},${text}`;
  test('1 and 001 are two images', async () => {
    const texts = { 'gt_1.txt': word('a'), 'gt_001.txt': word('b'), 'gt_img_1.txt': word('c') };
    const { words, problems } = await read(await part(texts, ['1.jpg', '001.jpg', 'img_1.jpg']));
    expect(problems).toEqual([]);
    expect(words).toEqual({ '1.jpg': [`a:${quad}`], '001.jpg': [`b:${quad}`], 'img_1.jpg': [`c:${quad}`] });
  });

  test('one that could be of two images is an error', async () => {
    const { problems } = await read(await part({ 'gt_1.txt': word('a') }, ['001.jpg', 'img_1.jpg']));
    expect(problems).toEqual([expect.stringMatching(/^E_ICDAR_NAME .*001\.jpg, img_1\.jpg/)]);
    const shared = await read(await part({ 'gt_01.txt': word('a'), 'gt_001.txt': word('b') }, ['1.jpg']));
    expect(shared.problems).toEqual([expect.stringMatching(/^E_ICDAR_NAME/), expect.stringMatching(/^E_ICDAR_NAME/)]);
    const twins = await read(await part({ 'gt_1.txt': word('a') }, ['1.jpg', '1.png']));
    expect(twins.problems).toEqual([expect.stringMatching(/^E_ICDAR_NAME/)]);
  });

  test('an image without a text file is counted; an empty file means no text', async () => {
    const made = await part({ 'gt_img_1.txt': word('a'), 'gt_img_3.txt': '' }, ['img_1.jpg', 'img_2.jpg', 'img_3.jpg']);
    const { words, dropped } = await read(made);
    expect(words).toEqual({ 'img_1.jpg': [`a:${quad}`], 'img_3.jpg': [] });
    expect(dropped).toEqual({ 'image without a text file, left out': 1 });
  });
});

describe('characters of words', () => {
  test('a polygon is cut along its upper and lower side', async () => {
    const made = await part({ 'gt_img_1.txt': '0,0,10,0,40,0,40,10,20,10,0,10,abcd\n0,0,9,0,9,9,5,9,0,9,x' });
    const { annotations } = await readIcdarPart(
      { ...made, characters: 'split', layout: 'total-text' },
      createFindings(),
    );
    const [even, odd] = annotations[0]!.words;
    expect(even!.characters).toEqual([0, 10, 20, 30].map((x) => [x, 0, x + 10, 0, x + 10, 10, x, 10]));
    expect(odd!.characters).toBeUndefined();
  });
});
