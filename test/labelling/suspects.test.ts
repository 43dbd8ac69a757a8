import { expect, test } from '@jest/globals';
import { suspectObjects } from '../../src/labelling/objects.js';
import { describeSuspect, type LookedAtBoxes } from '../../src/labelling/suspect.js';
import { suspectJson, suspectTable } from '../../src/labelling/suspectList.js';
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

/** Images whose labels the model agrees with, so that it is believed. */
const right = Array.from({ length: 20 }, (_, i) =>
  image(
    `right${i}`,
    [label('cat', square(10, 10)), label('dog', square(100, 100))],
    [seen('cat', 0.9, square(11, 10)), seen('dog', 0.9, square(100, 101))],
  ),
);

const kindsOf = (...images: LookedAtBoxes[]) =>
  suspectObjects([...right, ...images]).map(({ kind, imageId }) => `${imageId} ${kind}`);

test('labels that the model agrees with are no suspects', () => {
  expect(suspectObjects(right)).toEqual([]);
});

test('each kind of mistake is found, and the first suspects are the confident ones', () => {
  const dog = label('dog', square(100, 100));
  const bad = [
    image('dropped', [dog], [seen('cat', 0.95, square(10, 10)), seen('dog', 0.9, square(100, 100))]),
    image(
      'swapped',
      [dog, label('dog', square(10, 10))],
      [seen('cat', 0.9, square(10, 10)), seen('dog', 0.9, square(100, 100))],
    ),
    image('shifted', [label('cat', square(20, 10))], [seen('cat', 0.8, square(10, 10))]),
    image('moved away', [label('cat', square(36, 10))], [seen('cat', 0.7, square(20, 20))]),
    image('invented', [dog, label('cat', square(10, 10))], [seen('dog', 0.9, square(100, 100))]),
  ];
  expect(kindsOf(...bad)).toEqual([
    'swapped class',
    'dropped missing',
    'moved away loose',
    'invented unseen',
    'shifted loose',
  ]);
});

test('what is ignored, and a part of a labelled object, is no missing label', () => {
  const crowd = image('crowd', [label('dog', [0, 0, 200, 100], true)], [seen('dog', 0.9, square(10, 10))]);
  const part = image(
    'part',
    [label('dog', square(0, 0, 150))],
    [seen('dog', 0.9, square(0, 0, 150)), seen('dog', 0.6, square(10, 10))],
  );
  expect(kindsOf(crowd, part)).toEqual([]);
});

test('an object beside a neighbour of the class that was found does not have the wrong class', () => {
  const horse = label('dog', square(10, 10));
  const rider = label('cat', square(14, 10));
  const found = [seen('cat', 0.9, square(14, 10)), seen('cat', 0.5, square(12, 10))];
  const [alone] = suspectObjects([...right, image('alone', [horse], [seen('cat', 0.5, square(12, 10))])]);
  const [both] = suspectObjects([...right, image('both', [horse, rider], found)]);
  expect(alone).toMatchObject({ kind: 'class' });
  expect(both?.disagreement ?? 0).toBeLessThan(alone!.disagreement / 2);
});

test('an object that is labelled once is not reported for a second class that is less likely', () => {
  const both = image(
    'both',
    [label('cat', square(10, 10))],
    [seen('cat', 0.8, square(10, 10)), seen('dog', 0.5, square(10, 11))],
  );
  expect(kindsOf(both)).toEqual([]);
});

test('a category that the model is often wrong about is believed less', () => {
  const alarm = (name: string, i: number) =>
    image(`${name}${i}`, [], [seen(name, 0.8, square(10, 60)), seen('fox', 0.6, square(120, 10))]);
  const alarms = Array.from({ length: 8 }, (_, i) => alarm('wolf', i));
  const [first] = suspectObjects([...right, ...alarms, image('once', [], [seen('cat', 0.8, square(10, 10))])]);
  expect(first).toMatchObject({ imageId: 'once', kind: 'missing', model: { category: 'cat' } });
});

test('images of another class than their label come by the margin of the probabilities', () => {
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
    ['wrong', 0.95],
    ['doubtful', 0.3],
  ]);
  expect(describeSuspect(suspects[0]!)).toBe('labelled cat, looks like dog (score 0.97)');
});

test('the list has a row for each suspect, with both boxes in pixels', () => {
  const [suspect] = suspectObjects([
    ...right,
    image('a,b', [label('dog', square(10, 10))], [seen('cat', 0.9, square(12, 10))]),
  ]);
  const [heads, row] = suspectTable([suspect!]).split('\r\n');
  expect(heads).toMatch(/^file,part,kind,disagreement,label,label_x/);
  expect(row).toMatch(/^"\/photos\/a,b.jpg",train,class,0\.\d{4},dog,10,10,40,40,cat,0.90000,12,10,40,40$/);
  expect(suspectJson(suspect!)).toMatchObject({
    ...{ kind: 'class', row: 0, label: { category: 'dog', box: [10, 10, 40, 40] } },
    model: { category: 'cat', score: 0.9, box: [12, 10, 40, 40] },
  });
});
