import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FinetuneError } from '../../src/errors.js';
import type { Param, Params } from '../../src/graph/params.js';
import type { ParamKind } from '../../src/graph/spec.js';
import { BACKGROUND } from '../../src/categories/columns.js';
import { catalog } from '../../src/weights/catalog.js';
import { torchShape } from '../../src/weights/layout.js';
import { type LoadOptions, type Wanted, applyWeights, loadWeights } from '../../src/weights/load.js';
import { countValues } from '../../src/weights/decode/rawTensor.js';
import { readWeights } from '../../src/weights/read.js';
import { encodeSafetensors, type Writable } from '../../src/weights/encodeSafetensors.js';
import { verifySafetensors } from '../../src/weights/safetensorsFile.js';
import { saveWeights } from '../../src/weights/save.js';

const coco = catalog[0]!.uri;
const counted = (shape: readonly number[], from = 0): Param => ({
  shape,
  data: Float32Array.from({ length: countValues(shape) }, (_, i) => from + i),
});
const kindOf = (name: string, shape: readonly number[]): ParamKind =>
  shape.length < 2 ? 'vector' : name.includes('conv_dw') ? 'depthwise' : shape.length === 2 ? 'linear' : 'conv';
const wantedOf = (params: ReadonlyMap<string, Param>): Wanted[] =>
  [...params].map(([name, { shape }]) => ({ name, shape, kind: kindOf(name, shape) }));
const kindsOf = (params: Params) => new Map(wantedOf(params).map(({ name, kind }) => [name, kind]));

async function problemsOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown as FinetuneError,
  );
  return error?.problems ?? [];
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weights-'));
});

describe('our own checkpoint', () => {
  const params: Params = new Map([
    ['backbone.conv_stem.weight', counted([3, 3, 3, 4])],
    ['backbone.blocks.0.0.conv_dw.weight', counted([3, 3, 4, 1])],
    ['backbone.bn1.running_var', counted([4])],
    ['head.class.0.predict.weight', counted([1, 1, 4, 6])], // 2 anchors × 3 categories
    ['head.class.0.predict.bias', counted([6])],
  ]);
  const categories = ['cat', 'dog', 'cow'];
  let uri: string;
  beforeAll(async () => {
    uri = join(dir, 'last.safetensors');
    await saveWeights(uri, params, { kinds: kindsOf(params), categories, folded: ['backbone.bn1'] });
  });
  const load = (options: Partial<LoadOptions> = {}, wanted = wantedOf(params)) =>
    loadWeights(uri, wanted, { categories, ...options });

  it('comes back bit by bit', async () => {
    const weights = await load();
    expect([...weights.params]).toEqual([...params]);
    expect(weights.folded).toEqual(['backbone.bn1']);
    expect(weights.report).toMatchObject({ loaded: [...params.keys()], adapted: [], missing: [], unused: [] });
  });

  it('is written in PyTorch layout', async () => {
    const { tensors, metadata } = await verifySafetensors(uri);
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual(
      [...params].map(([name, { shape }]) => [name, torchShape(kindOf(name, shape), shape)]),
    );
    const { sha256, ...others } = metadata;
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(others).toEqual({ format: 'pt', categories: '["cat","dog","cow"]', folded: '["backbone.bn1"]' });
  });

  it('gives each category its columns by name, and leaves the others as they were', async () => {
    const initial = new Map(params).set('head.class.0.predict.bias', counted([4], -100));
    initial.set('head.class.0.predict.weight', counted([1, 1, 4, 4], -100));
    const weights = await load({ categories: ['horse', 'Cow'] }, wantedOf(initial));
    expect(weights.report.adapted).toEqual([
      'head.class.0.predict: 1 of 2 categories known; these keep their initial values: horse',
    ]);
    const applied = applyWeights(initial, weights);
    expect(applied.get('head.class.0.predict.bias')?.data).toEqual(Float32Array.of(-100, 2, -98, 5));
    expect(applied.get('backbone.bn1.running_var')).toEqual(params.get('backbone.bn1.running_var'));
    expect(initial.get('head.class.0.predict.bias')).toEqual(counted([4], -100));
  });

  it('reorders when all categories are known', async () => {
    const { params: loaded, partial } = await load({ categories: ['dog', 'cow', 'cat'] });
    expect(loaded.get('head.class.0.predict.bias')?.data).toEqual(Float32Array.of(1, 2, 0, 4, 5, 3));
    expect(partial.size).toBe(0);
  });

  it('initialises all columns when no category is known, without calling it missing', async () => {
    const { params: loaded, report } = await load({ categories: ['a', 'b', 'c'] });
    expect(report.adapted).toEqual([
      'head.class.0.predict: 0 of 3 categories known; these keep their initial values: a, b, c',
    ]);
    expect(report.missing).toEqual(['head.class.0.predict.weight', 'head.class.0.predict.bias']);
    expect(loaded.size).toBe(3);
  });

  it('tells all that does not fit at once, with what may have been meant', async () => {
    const wanted = wantedOf(params).filter(({ name }) => name !== 'backbone.bn1.running_var');
    wanted.push({ name: 'backbone.bn1.running_vax', shape: [4], kind: 'vector' });
    wanted[0] = { ...wanted[0]!, shape: [3, 3, 3, 8] };
    expect(await problemsOf(load({}, wanted))).toMatchObject([
      { code: 'E_WEIGHTS_SHAPE', message: '"backbone.conv_stem.weight" is [4, 3, 3, 3], the model wants [8, 3, 3, 3]' },
      { code: 'E_WEIGHTS_MISSING', fix: 'did you mean "backbone.bn1.running_var"?', where: { file: uri } },
      { code: 'E_WEIGHTS_UNUSED', fix: 'did you mean "backbone.bn1.running_vax"?' },
    ]);
    wanted.shift();
    const options = { allowMissing: ['backbone.bn?.*'], allowUnused: ['*_var', 'backbone.conv_stem.*'] };
    const { report } = await load(options, wanted);
    expect(report.missing).toEqual(['backbone.bn1.running_vax']);
    expect(report.unused).toEqual(['backbone.conv_stem.weight', 'backbone.bn1.running_var']);
  });

  it('gives a softmax head its classes and initialises its background', async () => {
    const bias = 'head.class.0.predict.bias';
    const initial = new Map([[bias, counted([6], -100)]]); // 2 anchors × (background + 2 categories)
    const options = { categories: [BACKGROUND, 'cow', 'cat'], allowUnused: ['*'] };
    const weights = await load(options, wantedOf(initial));
    expect(applyWeights(initial, weights).get(bias)?.data).toEqual(Float32Array.of(-100, 2, 0, -97, 5, 3));
    const [problem] = await problemsOf(load({ ...options, categories: ['cow', 'cat', 'a', 'b'] }, wantedOf(initial)));
    expect(problem).toMatchObject({ code: 'E_WEIGHTS_SHAPE' });
  });

  it('sees other anchors as a shape that does not fit', async () => {
    const wanted = wantedOf(new Map(params).set('head.class.0.predict.bias', counted([9])));
    const [problem] = await problemsOf(load({}, wanted));
    expect(problem).toMatchObject({ code: 'E_WEIGHTS_SHAPE' });
  });

  it('does not guess which columns are which without names', async () => {
    const file = join(dir, 'nameless.safetensors');
    await writeFile(file, encodeSafetensors(new Map([['head.class.0.predict.bias', counted([6])]])));
    const wanted = (size: number): Wanted[] => [{ name: 'head.class.0.predict.bias', shape: [size], kind: 'vector' }];
    const problems = await problemsOf(loadWeights(file, wanted(4), { categories: ['a', 'b'] }));
    expect(problems).toMatchObject([
      { code: 'E_WEIGHTS_SHAPE', fix: expect.stringContaining('categories') as unknown },
    ]);
    const { params: loaded } = await loadWeights(file, wanted(6), { categories: ['a', 'b', 'c'] });
    expect(loaded.get('head.class.0.predict.bias')).toEqual(counted([6]));
  });
});

describe('the COCO model', () => {
  it('has all that the neck, heads and backbone of the same model want', async () => {
    const file = await readWeights(catalog[0]!.name);
    expect(file.source.uri).toBe(coco);
    const categories = file.categories!;
    const { params, report } = await loadWeights(coco, wantedOf(file.params), { categories });
    expect(params.size).toBe(file.params.size);
    expect(report).toMatchObject({ adapted: [], missing: [], unused: [] });
  });

  it('gives three of its categories to a model with five', async () => {
    const file = await readWeights(coco);
    const categories = ['aeroplane', 'raccoon', 'dog', 'diningtable', 'platelet'];
    const initial: Params = new Map(file.params);
    const bias = 'head.class.1.predict.bias';
    const levels = [0, 1, 2, 3, 4, 5];
    for (const level of levels) {
      const name = `head.class.${level}.predict`;
      const [h, w, channels] = file.params.get(`${name}.weight`)!.shape;
      const columns = (level === 0 ? 3 : 6) * categories.length;
      initial.set(`${name}.weight`, counted([h!, w!, channels!, columns]));
      initial.set(`${name}.bias`, counted([columns], 1000));
    }
    const weights = await loadWeights(coco, wantedOf(initial), { categories });
    expect(weights.report.adapted).toHaveLength(levels.length);
    const applied = applyWeights(initial, weights).get(bias)!.data;
    const original = file.params.get(bias)!.data;
    for (let anchor = 0; anchor < 6; anchor++) {
      const row = [...applied.subarray(anchor * 5, anchor * 5 + 5)];
      const at = (id: number) => original[anchor * 90 + id - 1]!;
      expect(row).toEqual([at(5), 1000 + anchor * 5 + 1, at(18), at(67), 1000 + anchor * 5 + 4]);
    }
  });
});

describe("timm's mobilenetv2_100", () => {
  let uri: string;
  let shapes: Record<string, number[]>; // fixtures/make.py
  beforeAll(async () => {
    const text = await readFile(join(import.meta.dirname, 'fixtures', 'mobilenetv2_100.json'), 'utf8');
    ({ shapes } = JSON.parse(text) as { shapes: Record<string, number[]> });
    uri = join(dir, 'timm.safetensors');
    const tensors = new Map<string, Writable>();
    for (const [name, shape] of Object.entries(shapes)) {
      const counter = { shape, data: BigInt64Array.of(7n) };
      tensors.set(name, name.endsWith('num_batches_tracked') ? counter : counted(shape));
    }
    await writeFile(uri, encodeSafetensors(tensors));
  });

  it('has the names and shapes that our COCO weights have', async () => {
    const { params } = await readWeights(coco);
    const ours = wantedOf(params).filter(({ name }) => name.startsWith('backbone.'));
    const theirs = Object.keys(shapes).filter((name) => !/^classifier|num_batches_tracked$/.test(name));
    expect(ours.map(({ name }) => name.slice('backbone.'.length))).toEqual(theirs);
    for (const { name, shape, kind } of ours) {
      expect([name, torchShape(kind, shape)]).toEqual([name, shapes[name.slice('backbone.'.length)]]);
    }
  });

  it('loads into a detector: names without "backbone.", neck and head missing, classifier unused', async () => {
    const { params: published } = await readWeights(coco);
    const wanted = wantedOf(published);
    const strict = await problemsOf(loadWeights(uri, wanted, { categories: ['dog'] }));
    expect(new Set(strict.map(({ code }) => code))).toEqual(new Set(['E_WEIGHTS_MISSING', 'E_WEIGHTS_UNUSED']));
    const options = { categories: ['dog'], allowMissing: ['neck.*', 'head.*'], allowUnused: ['classifier.*'] };
    const { params, report } = await loadWeights(uri, wanted, options);
    expect([...report.unused].sort()).toEqual(['classifier.bias', 'classifier.weight']);
    expect(report.setAside).toContain('bn1.num_batches_tracked');
    expect(report.missing.every((name) => /^(neck|head)\./.test(name))).toBe(true);
    expect(params.get('backbone.conv_stem.weight')?.shape).toEqual([3, 3, 3, 32]);
    expect(params.get('backbone.conv_stem.weight')?.data[1]).toBe(27); // output channel 1 begins after 3·3·3 values
  });
});

describe('what cannot be read', () => {
  it.each([
    ['x.weights', 'hello there', 'E_WEIGHTS_FORMAT'],
    ['x.pth', 'PK', 'E_TORCH_TRUNCATED'],
    ['y.safetensors', 'no', 'E_SAFETENSORS_TRUNCATED'],
    ['model.json', '{"modelTopology": {"node": []}, "weightsManifest": []}', 'E_WEIGHTS_NAMES'],
  ])('%s', async (name, content, code) => {
    await writeFile(join(dir, name), content);
    expect(await problemsOf(readWeights(join(dir, name)))).toMatchObject([{ code }]);
  });

  it('metadata that is no list of names', async () => {
    const file = join(dir, 'metadata.safetensors');
    await writeFile(file, encodeSafetensors(new Map(), { metadata: { categories: 'dog' } }));
    expect(await problemsOf(readWeights(file))).toMatchObject([{ code: 'E_SAFETENSORS_METADATA', where: { file } }]);
  });
});
