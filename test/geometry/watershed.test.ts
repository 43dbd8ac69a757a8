import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { watershed } from '../../src/geometry/watershed.js';

interface Case {
  readonly width: number;
  readonly height: number;
  readonly floor: number;
  readonly heights: string;
  readonly markers: string;
  readonly labels: string;
}

const unpack = (text: string): number[] => [...inflateSync(Buffer.from(text, 'base64'))];
const cases = JSON.parse(readFileSync('test/fixtures/text/watershed.json', 'utf8')) as Case[];

test.each(cases)('floods as scikit-image does, $width × $height', ({ heights, markers, labels, ...size }) => {
  expect([...watershed(unpack(heights), unpack(markers), size)]).toEqual(unpack(labels));
});

test('a valley parts two hills, and what is below the floor stays dry', () => {
  const size = { width: 7, height: 1, floor: 1 };
  expect([...watershed([5, 4, 2, 1, 3, 6, 0], [1, 0, 0, 0, 0, 2, 0], size)]).toEqual([1, 1, 1, 2, 2, 2, 0]);
});
