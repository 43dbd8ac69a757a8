import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';
import { temporaryFolder } from '../temporaryFolder.js';
import { smallSet } from './smallSet.js';
import { tools } from './tools.js';

const root = temporaryFolder();

describe('each layout recognises the folder that its program writes', () => {
  test.each(Object.entries(tools))('%s', async (name, { format, parts, write }) => {
    const folder = join(root, name);
    await write(folder, smallSet);
    const [first, second] = await detectLayouts(folder);
    expect(first).toMatchObject({ format, parts, images: expect.any(Number) });
    expect(first!.certainty).toBeGreaterThan(second?.certainty ?? 0);
  });
});
