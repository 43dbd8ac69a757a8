import { expect, test } from '@jest/globals';
import { imageName } from '../../src/report/imageName.js';

test.each([
  [7, '/data/images/a.jpg', 'a.jpg (id 7)'],
  ['000005', '/data/JPEGImages/000005.jpg', '000005.jpg'],
  ['set/one', '/data/JPEGImages/set/one.png', 'set/one.png'],
  ['cat/1.jpg', '/data/train/cat/1.jpg', 'cat/1.jpg'],
  ['caf\u00e9', '/data/cafe\u0301.jpg', 'caf\u00e9.jpg'],
  ['x-17', '/data/images/b.jpg', 'b.jpg (id x-17)'],
  ['img_3.jpg', '/run/pseudo/word-3-1.png', 'img_3.jpg'],
])('the image %s of %s is "%s"', (imageId, file, name) => {
  expect(imageName({ file, imageId })).toBe(name);
});
