import { expect, test } from '@jest/globals';
import { suspectObjects } from '../../src/labelling/objects.js';
import { describeSuspect, type LookedAtBoxes } from '../../src/labelling/suspect.js';
import { randomStream } from '../../src/random.js';
import { suspectJson, suspectTable } from '../../src/labelling/suspectList.js';
import { fitAcrossFolds, fitLogOdds } from '../../src/labelling/trees.js';
import { suspectClasses } from '../../src/labelling/wholeImages.js';
import type { Corners } from '../../src/tasks/section.js';

const square = (x: number, y: number, side = 40): Corners => [x, y, x + side, y + side];
const label = (name: string, box: Corners, ignore = false) => ({ label: name, box, ignore });
const seen = (name: string, score: number, box: Corners) => ({ label: name, score, box });

const image = (name: string, truth: LookedAtBoxes['truth'], found: LookedAtBoxes['found']): LookedAtBoxes => ({
  part: 'train',
  file: `/photos/${name}.jpg`,
  imageId: name,
  width: 200,
  height: 200,
  truth,
  found,
});

/** Images with one to three objects, most of which the model sees, and a few detections of nothing. */
const random = randomStream(7, 'suspects');
const NAMES = ['cat', 'dog', 'fox'];
const right = Array.from({ length: 50 }, (_, i) => {
  const places = random.shuffle([0, 1, 2, 3]).slice(0, random.integer(2, 5));
  const boxes = places.map((place) => square(10 + 90 * (place % 2), 10 + 90 * Math.floor(place / 2)));
  const nothing = boxes.pop()!;
  const truth = boxes.map((box) => label(NAMES[random.integer(0, 3)]!, box));
  const found = truth.flatMap(({ label: name, box: [x, y] }) =>
    random.chance(0.1) ? [] : [seen(name, random.uniform(0.3, 0.99), square(x + random.uniform(-4, 4), y))],
  );
  return image(`right${i}`, truth, [...found, seen('cat', random.uniform(0.1, 0.3), nothing)]);
});

const suspectsAmong = (...images: LookedAtBoxes[]) => suspectObjects([...right, ...images]);
/** The suspects among these images alone. */
const kindsOf = (...images: LookedAtBoxes[]) =>
  suspectsAmong(...images)
    .filter(({ imageId }) => !String(imageId).startsWith('right'))
    .map(({ kind, imageId }) => `${imageId} ${kind}`);

test('labels that the model agrees with are no suspects', () => {
  const suspects = suspectObjects(right);
  expect(suspects.filter(({ kind, disagreement }) => kind !== 'unseen' && disagreement > 0.2)).toEqual([]);
  expect(suspects.length).toBeLessThan(5);
  expect(suspectObjects([])).toEqual([]);
});

test('each kind of mistake is found', () => {
  const dog = label('dog', square(100, 100));
  const bad = [
    image('dropped', [dog], [seen('cat', 0.95, square(10, 10)), seen('dog', 0.9, square(100, 100))]),
    image(
      'swapped',
      [dog, label('dog', square(10, 10))],
      [seen('cat', 0.9, square(10, 10)), seen('dog', 0.9, square(100, 100))],
    ),
    image('moved away', [label('cat', square(26, 22))], [seen('cat', 0.8, square(10, 10))]),
  ];
  expect(kindsOf(...bad).sort()).toEqual(['dropped missing', 'moved away loose', 'swapped class']);
});

test('what is ignored, and a part of a labelled object, is no missing label', () => {
  const crowd = image('crowd', [label('dog', [0, 0, 200, 100], true)], [seen('dog', 0.9, square(10, 10))]);
  expect(kindsOf(crowd)).toEqual([]);
});

test('an object beside a neighbour of the class that was found does not have the wrong class', () => {
  const horse = label('dog', square(10, 10));
  const rider = label('cat', square(14, 10));
  const found = [seen('cat', 0.9, square(14, 10)), seen('cat', 0.5, square(12, 10))];
  expect(kindsOf(image('one', [horse], found))).toEqual(['one class']);
  expect(kindsOf(image('one', [horse, rider], found))).not.toContain('one class');
});

test('what a closer look shows counts', () => {
  const small = image('small', [label('cat', square(10, 10))], []);
  const as = (name: string) => kindsOf({ ...small, closer: [[seen(name, 0.9, square(10, 10))]] });
  expect(as('cat')).toEqual([]);
  expect(as('dog')).toEqual(['small class']);
});

test('what a tile of the image shows counts', () => {
  const small = image('small', [label('cat', square(10, 10))], []);
  expect(kindsOf({ ...small, tiles: [seen('cat', 0.9, square(10, 10))] })).toEqual([]);
  expect(kindsOf({ ...small, tiles: [seen('dog', 0.9, square(10, 10))] })).toEqual(['small class']);
});

test('trees find the log-odds of two groups, also where they lie inside each other', () => {
  const draw = randomStream(3, 'groups');
  const rows = Array.from({ length: 400 }, () => [draw.uniform(-2, 2), draw.uniform(-2, 2), 7]);
  const isInside = ([x, y]: readonly number[]): boolean => Math.max(Math.abs(x!), Math.abs(y!)) < 1;
  const logOdds = fitLogOdds(
    rows.filter((row) => !isInside(row)),
    rows.filter(isInside),
  );
  const right = rows.filter((row) => logOdds(row) > 0 === isInside(row));
  expect(right.length).toBeGreaterThan(0.97 * rows.length);
  expect(logOdds([0, 0, 7])).toBeGreaterThan(2);
  expect(fitLogOdds([[1], [1]], [[1], [1]])([1])).toBeCloseTo(0, 10);
});

test('a row is not judged by trees that have learned from it', () => {
  const low = Array.from({ length: 40 }, (_, i) => [i / 40]);
  const high = Array.from({ length: 40 }, (_, i) => [10 + i / 40]);
  const [one, two] = [low.slice(0, 20), low.slice(20)];
  const logOdds = fitAcrossFolds([[...one, [10.7], [10.9]], two], [high.slice(0, 20), high.slice(20)]);
  expect(logOdds([10.9], 0)).toBeGreaterThan(2); // the second fold has no such row among the first group
  expect(fitAcrossFolds([low], [high])([10.9], 0)).toBeGreaterThan(2); // nothing else to learn from
});

test('images for which another class than their label is probable come by its probability', () => {
  const whole = (name: string, ...found: [string, number][]) => ({
    ...{ part: 'val' as const, file: `/photos/${name}.jpg`, imageId: name, label: 'cat' },
    found: found.map(([category, probability]) => ({ category, probability })),
  });
  const suspects = suspectClasses([
    whole('right', ['cat', 0.9], ['dog', 0.1]),
    whole('close', ['dog', 0.52], ['cat', 0.48]),
    whole('wrong', ['dog', 0.97], ['cat', 0.02]),
    whole('doubtful', ['dog', 0.6], ['cat', 0.3]),
  ]);
  expect(suspects.map(({ imageId, disagreement }) => [imageId, Number(disagreement.toFixed(2))])).toEqual([
    ['wrong', 0.97],
    ['doubtful', 0.6],
    ['close', 0.52],
  ]);
  expect(describeSuspect(suspects[0]!)).toBe('labelled cat, looks like dog (score 0.97)');
});

test('the list has a row for each suspect, with both boxes in pixels', () => {
  const suspect = suspectsAmong(image('a,b', [label('dog', square(10, 10))], [seen('cat', 0.9, square(12, 10))])).find(
    ({ imageId }) => imageId === 'a,b',
  );
  const [heads, row] = suspectTable([suspect!]).split('\r\n');
  expect(heads).toMatch(/^file,part,kind,disagreement,label,label_x/);
  expect(row).toMatch(/^"\/photos\/a,b.jpg",train,class,0\.\d{4},dog,10,10,40,40,cat,0.90000,12,10,40,40$/);
  expect(suspectJson(suspect!)).toMatchObject({
    ...{ kind: 'class', row: 0, label: { category: 'dog', box: [10, 10, 40, 40] } },
    model: { category: 'cat', score: 0.9, box: [12, 10, 40, 40] },
  });
});
