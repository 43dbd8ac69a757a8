import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openBackend } from '../../src/engine/backend.js';
import { compile } from '../../src/engine/compile.js';
import { parametersOf } from '../../src/graph/program.js';
import { buildClassifier } from '../../src/models/classifier.js';
import { findBackbone } from '../../src/models/registry.js';
import { conventionsOf } from '../../src/tasks/description/description.js';
import { loadWeights } from '../../src/weights/load.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

/** An interpreter that has torch and torchvision. */
const python = process.env.TORCH_PYTHON;

const OURS: Readonly<Record<string, string>> = {
  efficientnet_b1: 'tv_efficientnet_b1',
  mnasnet0_5: 'mnasnet_050',
  mnasnet0_75: 'mnasnet_075',
  mnasnet1_0: 'mnasnet_100',
  mobilenet_v2: 'mobilenetv2_100',
  mobilenet_v3_large: 'mobilenetv3_large_100',
  mobilenet_v3_small: 'mobilenetv3_small_100',
};

/** Every classifier of torchvision whose network we have; after @, another side of the image than its usual one. */
const NAMES =
  'alexnet alexnet@63 alexnet@300 densenet121 densenet161 densenet169 densenet201 efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 googlenet googlenet@50 inception_v3 mnasnet0_5 mnasnet0_75 mnasnet1_0 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_64x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_0@33 squeezenet1_1 squeezenet1_1@17 vgg11 vgg11@32 vgg11_bn@300 vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn wide_resnet50_2 wide_resnet101_2'.split(
    ' ',
  );

const folder = temporaryFolder();
const backend = await openBackend();

(python === undefined ? describe.skip : describe)(
  "torchvision's classifiers load by name and give the same logits",
  () => {
    test.each(NAMES)(
      '%s',
      async (name) => {
        execFileSync(python!, [join(import.meta.dirname, 'fixtures/makeTorchvision.py'), folder, name]);
        const {
          size,
          logits: expected,
          single,
        } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
          size: number;
          logits: number[];
          single: number[];
        };
        const network = name.replace(/@.*/, '');
        const backbone = findBackbone(OURS[network] ?? network);
        const usual = { batch: 1, size: [size, size] as const, trainBatchNorm: () => false };
        const programs = { all: { outputs: { logits: buildClassifier(backbone, expected.length, usual).logits } } };
        const wanted = [...parametersOf(programs)].map(([path, param]) => ({ ...param, name: path }));
        const conventions = conventionsOf(backbone);
        const { params } = await loadWeights(`file:${join(folder, name)}.pth`, wanted, { categories: [], conventions });
        const session = await compile(programs, backend);
        try {
          await session.write(params);
          const image = new Float32Array(new Uint8Array(readFileSync(join(folder, `${name}.image`))).buffer);
          const { logits } = await session.run('all', { image });
          const largest = Math.max(...expected.map(Math.abs));
          const gap = (values: ArrayLike<number>): number =>
            Math.max(...expected.map((value, i) => Math.abs(value - values[i]!))) / largest;
          expect(gap(logits!)).toBeLessThan(Math.max(1e-4, 5 * gap(single))); // what rounding does to PyTorch's own
        } finally {
          session.dispose();
        }
      },
      120_000,
    );
  },
);
