import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { readModelOptions } from '../../src/api/modelOptions.js';
import { checkPixels } from '../../src/api/pixels.js';
import { FinetuneError } from '../../src/errors.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { unsafeName, unsafePath } from '../../src/safePath.js';
import { findCheckpoint } from '../../src/train/checkpoint/checkpoint.js';
import { firstState } from '../../src/train/checkpoint/state.js';
import { readWeights } from '../../src/weights/read.js';
import { writeSafetensors } from '../../src/weights/safetensorsFile.js';
import { parseNpmUri } from '../../src/weights/sources/npmSource.js';
import { parsePipUri } from '../../src/weights/sources/pipSource.js';
import { shardsOf } from '../../src/weights/sources/shards.js';
import { openSource } from '../../src/weights/sources/source.js';
import { fileName, parseUrl } from '../../src/fetch/url.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import * as fc from '../fastCheck.js';
import { writeMiniModel } from '../weights/miniGraphModel.js';
import { damaged, isHandled } from './damage.js';

const root = temporaryFolder();
const runs = { numRuns: 60 };
const fixtures = new URL('../weights/fixtures/', import.meta.url).pathname;
const recipes = new URL('../../recipes/', import.meta.url).pathname;

describe('a damaged file of weights is read, or refused', () => {
  test.each([
    'float32.safetensors', 'python.safetensors', 'torch/zip.pth', 'torch/legacy.pth', 'torch/checkpoint.pth',
    'keras/legacy.h5', 'keras/tiny.weights.h5', 'keras/model.h5',
  ])('%s', async (name) => {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    await fc.assert(
      fc.asyncProperty(damaged(readFileSync(join(fixtures, name))), async (bad) => {
        await writeFile(file, bad);
        await isHandled(() => readWeights(`file:${file}`));
      }),
      runs,
    );
  }); // prettier-ignore

  test('model.json and its shards', async () => {
    const folder = dirname(await writeMiniModel());
    const names = readdirSync(folder);
    const sound = new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
    const bad = fc.constantFrom(...names).chain((name) => damaged(sound.get(name)!).map((bytes) => ({ name, bytes })));
    await fc.assert(
      fc.asyncProperty(bad, async ({ name, bytes }) => {
        for (const [other, content] of sound) writeFileSync(join(folder, other), content);
        writeFileSync(join(folder, name), bytes);
        await isHandled(() => readWeights(`file:${join(folder, 'model.json')}`));
      }),
      runs,
    );
  });
});

test('a damaged checkpoint is found out, and the one before it is taken', async () => {
  const directory = join(root, 'run');
  mkdirSync(join(directory, 'checkpoints'), { recursive: true });
  const [last, previous] = ['last', 'previous'].map((name) => join(directory, 'checkpoints', `${name}.safetensors`));
  const tensors = new Map([['w', { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }]]);
  const write = (file: string, step: number) =>
    writeSafetensors(file, tensors, { metadata: { state: JSON.stringify({ ...firstState('r'), step }) } });
  await write(last!, 2);
  await write(previous!, 1);
  const sound = readFileSync(last!);
  await fc.assert(
    fc.asyncProperty(damaged(sound), async (bad) => {
      writeFileSync(last!, bad);
      const found = await findCheckpoint(directory);
      if (sound.equals(bad)) expect(found).toMatchObject({ file: last, state: { step: 2 } });
      else expect(found).toMatchObject({ file: previous, state: { step: 1 } });
    }),
    runs,
  );
});

test.each(readdirSync(recipes).filter((name) => name.endsWith('.yaml')))(
  '%s, damaged, is a recipe or not',
  async (name) => {
    const text = readFileSync(join(recipes, name));
    await fc.assert(
      fc.asyncProperty(damaged(text), (bad) =>
        isHandled(() => parseRecipe(Buffer.from(bad).toString('utf8'), join(recipes, name))),
      ),
      { numRuns: 10 },
    );
  },
);

describe('a URI of weights', () => {
  const environment = { ...process.env };
  beforeAll(() => {
    process.env['HF_ENDPOINT'] = 'http://127.0.0.1:9';
  });
  afterAll(() => {
    process.env = environment;
  });
  const parts = fc.array(
    fc.oneof(
      fc.constantFrom('/', '//', '..', '%2f', '%00', '%', '\0', '@', ':', '?', '#', '#sha256=', '127.0.0.1:9', 'a', 'b.pth', '[', ' ', '==1.0', '@1.0.0', '***', '\ud800', '\\'), // prettier-ignore
      fc.string({ unit: 'grapheme' }),
    ),
    { maxLength: 6 },
  );
  const limits = { tries: 1, idle: 200, total: 500 };
  test('leads to a file, or is refused', async () => {
    const scheme = fc.constantFrom(
      'file:',
      'run:',
      'http://127.0.0.1:9/',
      'https://127.0.0.1:9/',
      'hf:',
      'hf:a/b',
      'FILE://',
      '',
      'x:',
    );
    await fc.assert(
      fc.asyncProperty(scheme, parts, (first, rest) =>
        isHandled(() => openSource(first + rest.join(''), { cacheDir: join(root, 'cache'), baseDir: root, limits })),
      ),
      runs,
    );
  });

  test('gives a file only a name that it may have', () => {
    fc.assert(
      fc.property(parts, (rest) => {
        try {
          const name = fileName(parseUrl(`https://host/${rest.join('')}`));
          if (name !== '') expect(unsafeName(name)).toBeUndefined();
        } catch (error) {
          expect(error).toBeInstanceOf(FinetuneError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('leads to shards on the same server, below the folder of the model', async () => {
    const file = join(root, 'model.json');
    const base = new URL('https://host:8443/a/b/model.json?token=1');
    await fc.assert(
      fc.asyncProperty(fc.array(parts, { minLength: 1, maxLength: 3 }), async (names) => {
        const paths = names.map((rest) => rest.join(''));
        writeFileSync(file, JSON.stringify({ weightsManifest: [{ paths, weights: [] }] }));
        await isHandled(async () => {
          for (const { path, url } of await shardsOf(file, base)) {
            expect(unsafePath(path)).toBeUndefined();
            expect(url.href.startsWith('https://host:8443/a/b/')).toBe(true);
          }
        });
      }),
      runs,
    );
  });

  test('of a package has a name that npm and pip take for nothing else', () => {
    fc.assert(
      fc.property(parts, (rest) => {
        for (const [scheme, read] of [['npm:', parseNpmUri], ['pip:', parsePipUri]] as const) {
          try {
            expect(read(scheme + rest.join('')).spec).toMatch(/^[@a-z0-9][\w@./~+!=-]*$/i);
          } catch (error) {
            expect(error).toBeInstanceOf(FinetuneError);
          }
        }
      }),
    ); // prettier-ignore
  });
});

describe('the arguments of the API', () => {
  const sound = parse(
    '{ task: detection, backbone: mobilenetv2_100, head: ssdlite, classes: [a, b], size: 96 }',
  ) as object;
  const value = fc.oneof(
    fc.anything(),
    fc.constantFrom(
      Number.NaN,
      -1,
      1.5,
      2 ** 53,
      Infinity,
      '',
      '__proto__',
      'constructor',
      [],
      [[]],
      {},
      null,
      10n,
      Symbol('a'),
      () => 1,
    ),
  );
  test('createModel names what is wrong with an option', async () => {
    readModelOptions(sound);
    const key = fc.oneof(
      fc.constantFrom('task', 'backbone', 'head', 'classes', 'size', 'seed', 'engine', 'neck', '__proto__'),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(key, value), { maxLength: 2 }), value, fc.boolean(), (entries, other, whole) =>
        isHandled(() => readModelOptions(whole ? other : { ...sound, ...Object.fromEntries(entries) })),
      ),
      { numRuns: 300 },
    );
  });

  test('predict names what is wrong with the pixels', async () => {
    const pixels = fc.oneof(value, fc.float32Array({ maxLength: 24 }), fc.uint8Array({ maxLength: 24 }));
    await fc.assert(
      fc.asyncProperty(pixels, (given) => isHandled(() => checkPixels(given, [2, 2]))),
      { numRuns: 300 },
    );
  });
});
