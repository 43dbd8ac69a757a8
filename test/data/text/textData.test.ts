import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { testOnShared } from '../sharedData.js';
import { createFindings } from '../../../src/data/findings.js';
import { loadSample } from '../../../src/data/pipeline/loadSample.js';
import { ofKind, type TextAnnotation } from '../../../src/data/sample.js';
import { drawTextView } from '../../../src/data/pipeline/augment/augmentText.js';
import { buildText, mendOutline } from '../../../src/data/formats/text/buildText.js';
import { openDrawnText } from '../../../src/data/formats/text/drawnText.js';
import { readIcdarPart } from '../../../src/data/formats/text/icdar.js';
import { randomStream } from '../../../src/random.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'textdata-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function part(name: string, lines: Readonly<Record<string, string>>, images = Object.keys(lines)) {
  const folder = join(root, name);
  await mkdir(join(folder, 'gt'), { recursive: true });
  await mkdir(join(folder, 'images'), { recursive: true });
  for (const [id, text] of Object.entries(lines)) await writeFile(join(folder, 'gt', `gt_${id}.txt`), text);
  for (const id of images) {
    const blank = { create: { width: 60, height: 40, channels: 3 as const, background: '#888' } };
    await sharp(blank)
      .jpeg()
      .toFile(join(folder, 'images', `${id}.jpg`));
  }
  return { images: join(folder, 'images'), truth: join(folder, 'gt'), name };
}

test('2013 with blanks or commas, 2015 with don’t-care words and a byte order mark, polygons: one reader', async () => {
  const findings = createFindings();
  const blanks = await readIcdarPart(
    await part('2013', { 2: '5 6 25 16 "A, b"\r\n', 10: '0 0 9 9 "x"\r\n' }),
    findings,
  );
  expect(blanks.annotations.map(({ imageId }) => imageId)).toEqual(['2', '10']);
  expect(blanks.annotations[0]!.words).toEqual([
    { text: 'A, b', outline: [5, 6, 25, 6, 25, 16, 5, 16], dontCare: false },
  ]);
  const commas = await readIcdarPart(await part('2013t', { img_2: '5, 6, 25, 16, "Ab"\n' }), findings);
  expect(commas.annotations[0]!.words[0]!.outline).toEqual([5, 6, 25, 6, 25, 16, 5, 16]);
  const quads = await readIcdarPart(
    await part('2015', { img_1: '\ufeff1,1,20,2,20,12,1,11,word\r\n30,30,50,30,50,38,30,38,###\r\n' }),
    findings,
  );
  expect(quads.annotations[0]!.ignore).toEqual([false, true]);
  expect([...quads.annotations[0]!.boxes]).toEqual([1, 1, 20, 12, 30, 30, 50, 38]);
  const curved = await part('total', { img_7: '1,9,9,1,20,1,28,9,24,12,20,6,9,6,5,12,curve\n1,30,9,25,20,25,28,30,24,33,5,33,two\n' }); // prettier-ignore
  const polygons = await readIcdarPart(curved, findings);
  expect(polygons.annotations[0]!.words.map(({ outline }) => outline.length)).toEqual([16, 12]);
  findings.throwIfAny();
});

test('quads are put in order and turned clockwise, and what cannot be used is counted', async () => {
  expect(mendOutline([0, 0, 10, 0, 10, 5, 0, 5])).toEqual({ outline: [0, 0, 10, 0, 10, 5, 0, 5] });
  expect(mendOutline([0, 0, 0, 5, 10, 5, 10, 0])).toEqual({ outline: [0, 0, 10, 0, 10, 5, 0, 5], reason: 'outlines turned clockwise' }); // prettier-ignore
  expect(mendOutline([0, 0, 10, 5, 10, 0, 0, 5])).toEqual({ outline: [0, 0, 10, 0, 10, 5, 0, 5], reason: 'crossed quads put in order' }); // prettier-ignore
  const lines = '0,0,10,5,10,0,0,5,a\n90,90,99,90,99,99,90,99,b\n1,1,1,1,1,1,1,1,c\n2,2,9,2,9,9,2,9,d\n';
  const dataset = await readIcdarPart(await part('bad', { img_1: lines }), createFindings());
  expect(dataset.annotations[0]!.words.map(({ text }) => text)).toEqual(['a', 'd']);
  expect(dataset.dropped).toEqual({
    'crossed quads put in order': 1,
    'word outside its image': 1,
    'word without area': 1,
  });
  expect(dataset.toCoco().annotations).toHaveLength(2);
});

test('an image that is missing is a problem, or dropped; every third can be held back', async () => {
  const findings = createFindings();
  const options = await part('missing', { 1: '1 1 9 9 "a"', 2: '1 1 9 9 "b"', 3: '1 1 9 9 "c"' }, ['1', '3']);
  await readIcdarPart(options, findings);
  expect(findings.problems().map(({ code }) => code)).toEqual(['E_IMAGE_MISSING']);
  const dropped = createFindings();
  const dataset = await readIcdarPart({ ...options, brokenImages: 'drop' }, dropped);
  expect(dataset.annotations.map(({ imageId }) => imageId)).toEqual(['1', '3']);
  const third = await readIcdarPart({ ...options, keep: (i) => i % 3 === 2 }, createFindings());
  expect(third.annotations.map(({ imageId }) => imageId)).toEqual(['3']);
});

/** A black square on white, whose word outline is known. */
async function marked(): Promise<TextAnnotation> {
  const file = join(root, 'marked.png');
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="120"><rect width="200" height="120" fill="#fff"/><rect x="80" y="40" width="40" height="24"/></svg>'; // prettier-ignore
  await sharp(Buffer.from(svg)).flatten().png().toFile(file);
  const outline = [80, 40, 120, 40, 120, 64, 80, 64];
  const word = { text: 'a', outline, characters: [outline], dontCare: false };
  const image = { imageId: 1, file, fileName: 'marked.png', width: 200, height: 120, words: [word] };
  return buildText('marked', [image], createFindings()).annotations[0]!;
}

test('outlines and characters follow the pixels through zoom, rotation, flip and letterbox', async () => {
  const annotation = await marked();
  const augment = { kind: 'text', zoom: [0.6, 1.6] as const, rotate: 20, flip: 0.5, photometric: false } as const;
  let seen = 0;
  for (let i = 0; i < 12; i++) {
    const random = i === 0 ? undefined : randomStream(i, 'view');
    const sample = await loadSample(annotation, { size: [96, 128], augment: random ? augment : false, ...(random && { random }) }); // prettier-ignore
    const [word] = ofKind(sample, 'text').words;
    if (!word || word.outline.some((value, k) => value < 1 || value > (k % 2 === 0 ? 127 : 95))) continue;
    seen++;
    expect(word.characters).toEqual([word.outline]);
    const { data, width } = sample.picture;
    let [sum, sx, sy] = [0, 0, 0];
    data.forEach((_, at) => {
      if (at % 3 !== 0 || data[at + 1]! > 60) return; // the fill outside the image is grey
      sum++;
      sx += ((at / 3) % width) + 0.5;
      sy += Math.floor(at / 3 / width) + 0.5;
    });
    const middle = (axis: number): number => word.outline.reduce((total, value, k) => total + (k % 2 === axis ? value / 4 : 0), 0); // prettier-ignore
    expect(Math.abs(sx / sum - middle(0))).toBeLessThan(0.6);
    expect(Math.abs(sy / sum - middle(1))).toBeLessThan(0.6);
  }
  expect(seen).toBeGreaterThan(5);
});

test('a crop keeps words whole where it can', () => {
  const words = [10, 90, 170].map((x) => ({ text: 'w', outline: [x, 20, x + 60, 20, x + 60, 40, x, 40], dontCare: false })); // prettier-ignore
  const annotation = {
    imageId: 1,
    file: '',
    width: 260,
    height: 60,
    boxes: [],
    classes: [],
    ignore: [],
    words,
  } as never;
  let cut = 0;
  for (let i = 0; i < 60; i++) {
    const { centre } = drawTextView(annotation, [60, 80], { kind: 'text', zoom: [1, 1], rotate: 0, flip: 0, photometric: true }, randomStream(i, 'crop')); // prettier-ignore
    const [left, right] = [centre[0] - 40, centre[0] + 40];
    cut += words.filter(({ outline: [x1, , x2] }) => x1! < right && x2! > left && (x1! < left || x2! > right)).length;
  }
  expect(cut).toBeLessThan(25); // of 60; crops at random places would cut a word nearly always
});

test('drawn text is opened as a data set, once', async () => {
  const options = { root: join(root, 'drawn'), seed: 3, train: 3, val: 2, side: 128 };
  const { train, val } = await openDrawnText(options);
  expect([train.annotations.length, val.annotations.length]).toEqual([3, 2]);
  expect(train.annotations.flatMap(({ words }) => words).every(({ text, characters }) => characters!.length === text.length)).toBe(true); // prettier-ignore
  const again = await openDrawnText(options);
  expect(again.train.annotations).toEqual(train.annotations);
  await expect(openDrawnText({ ...options, seed: 4 })).rejects.toMatchObject({ code: 'E_SYNTHETIC_ROOT' });
});

test('words without character boxes are cut equally by their letters, spaces do not count, with half the weight', async () => {
  const lines = '0,0,40,0,40,10,0,10,ab c d\n50,0,56,0,56,30,50,30,xyz\n0,20,40,20,40,30,0,30,###\n';
  const options = await part('split', { img_1: lines });
  const { annotations } = await readIcdarPart({ ...options, characters: 'split' }, createFindings());
  const [across, down, dontCare] = annotations[0]!.words;
  expect(across!.characters).toEqual([0, 10, 20, 30].map((x) => [x, 0, x + 10, 0, x + 10, 10, x, 10]));
  expect(across!.confidence).toBe(0.5);
  expect(down!.characters).toEqual([0, 10, 20].map((y) => [50, y, 56, y, 56, y + 10, 50, y + 10]));
  expect(dontCare!.characters).toBeUndefined();
});

testOnShared('ICDAR 2015: 50 test images, 200 words that count and 288 that do not', 'icdar2015', async (dir) => {
  const findings = createFindings();
  const [images, truth] = [join(dir, 'ch4_test_images'), join(dir, 'Challenge4_Test_Task1_GT')];
  const { annotations } = await readIcdarPart({ images, truth, name: 'test' }, findings);
  findings.throwIfAny();
  const words = annotations.flatMap((image) => image.words);
  expect([annotations.length, words.length, words.filter(({ dontCare }) => dontCare).length]).toEqual([50, 488, 288]);
});

testOnShared('ICDAR 2013: 224 images with 825 words, by blanks', 'icdar2013', async (dir) => {
  const findings = createFindings();
  const [images, truth] = [join(dir, 'Challenge2_Training_Task12_Images'), join(dir, 'Challenge2_Training_Task1_GT')];
  const { annotations } = await readIcdarPart({ images, truth, name: 'train' }, findings);
  findings.throwIfAny();
  expect([annotations.length, annotations.flatMap((image) => image.words).length]).toEqual([224, 825]);
});
