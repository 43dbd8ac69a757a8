import { describe, expect, it } from '@jest/globals';
import { catalog } from '../../src/weights/catalog.js';
import { openSource } from '../../src/weights/sources/source.js';
import { countValues } from '../../src/weights/decode/rawTensor.js';
import { readTfjs } from './readers.js';

const uri = catalog[0]!.uri;

describe('ssdlite_mobilenet_v2 out of npm', () => {
  it('yields 262 arrays and 4.5 M values', async () => {
    const source = await openSource(uri);
    const { tensors, nodes } = await readTfjs(source.file);
    expect(tensors.size).toBe(262);
    expect([...tensors.values()].reduce((sum, { shape }) => sum + countValues(shape), 0)).toBe(4_508_632);
    expect(nodes).toHaveLength(641);
  });
});
