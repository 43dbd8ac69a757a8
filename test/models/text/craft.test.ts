import { expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBackend } from '../../../src/engine/backend.js';
import { compile } from '../../../src/engine/compile.js';
import { parametersOf } from '../../../src/graph/program.js';
import { count } from '../../../src/graph/count.js';
import { fold } from '../../../src/graph/fold.js';
import { buildScoreMaps } from '../../../src/models/text/scoreMaps.js';
import { loadWeights } from '../../../src/weights/load.js';
import type { Writable } from '../../../src/weights/encodeSafetensors.js';
import { writeSafetensors } from '../../../src/weights/safetensorsFile.js';
import { uniform } from '../formula.js';

interface Golden {
  readonly size: readonly [number, number];
  readonly samples: readonly number[];
  readonly rms: number;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}
const golden = JSON.parse(readFileSync(new URL('../../fixtures/text/craft.json', import.meta.url), 'utf8')) as Golden;

/** A checkpoint with the published names, and values by the formula of make_craft.py. */
function checkpoint(): Map<string, Writable> {
  return new Map(
    Object.entries(golden.tensors).map(([name, shape]): [string, Writable] => {
      const length = shape.reduce((product, n) => product * n, 1);
      if (shape.length === 0) return [`module.${name}`, { shape, data: new BigInt64Array(1) }];
      const fan = length / shape[0]!;
      const [scale, offset] =
        shape.length > 1 ? [Math.sqrt(6 / fan), 0] : name.endsWith('running_var') ? [0.5, 1] : name.endsWith('weight') ? [0.2, 0.8] : [0.1, 0]; // prettier-ignore
      return [`module.${name}`, { shape, data: uniform(name, length, scale, offset) }];
    }),
  );
}

test('CRAFT has 20.8 M parameters, loads the published names strictly, and equals the PyTorch definition', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'craft-'));
  const file = join(folder, 'craft.safetensors');
  await writeSafetensors(file, checkpoint());
  const { maps } = buildScoreMaps({ head: 'craft', backbone: 'vgg16_bn' }, { batch: 1, size: golden.size, trainBatchNorm: () => false }); // prettier-ignore
  expect(maps.shape).toEqual([1, 32, 48, 2]);
  expect(count([maps]).params).toBe(20_770_466);
  const wanted = [...parametersOf({ all: { outputs: { maps } } }).values()];
  const { params, report } = await loadWeights(`file:${file}`, wanted, { categories: [] });
  rmSync(folder, { recursive: true });
  expect([report.missing, report.unused]).toEqual([[], []]);
  const folded = fold([maps]);
  const programs = { plain: { outputs: { maps } }, folded: { outputs: { maps: folded.roots[0]! } } };
  const session = await compile(programs, await openBackend(), folded.derive(params));
  const known = parametersOf(programs);
  await session.write(new Map([...params, ...folded.derive(params)].filter(([name]) => known.has(name))));
  const image = uniform('image', golden.size[0] * golden.size[1] * 3).map((value) => (value + 1) * 127.5);
  for (const program of ['plain', 'folded'] as const) {
    const { maps: values } = await session.run(program, { image });
    for (const [i, expected] of golden.samples.entries()) {
      const found = values![Number((BigInt(i) * 2654435761n) % BigInt(values!.length))]!;
      expect(Math.abs(found - expected)).toBeLessThan(1e-4 + 1e-3 * Math.abs(expected));
    }
  }
  session.dispose();
});

test.each([
  ['tf_efficientnet_lite0', 3.73e6],
  ['tf_mobilenetv2_100', 2.58e6],
  ['rexnet_100', 3.87e6],
  ['alexnet', 1e7],
])('CRAFT-lite on %s: two maps at half resolution, whatever the size', (backbone, most) => {
  const build = { batch: 2, size: [101, 250] as const, trainBatchNorm: () => true };
  const { maps } = buildScoreMaps({ head: 'craft-lite', backbone }, build);
  expect(maps.shape.slice(0, 1)).toEqual([2]);
  expect(Math.abs(maps.shape[1]! - 51)).toBeLessThanOrEqual(3);
  expect(Math.abs(maps.shape[2]! - 125)).toBeLessThanOrEqual(3);
  expect(count([maps]).params).toBeLessThan(most + 1e4);
});
