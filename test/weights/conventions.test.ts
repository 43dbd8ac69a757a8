import { expect, test } from '@jest/globals';
import { backbones } from '../../src/models/registry.js';
import { conventionsOf } from '../../src/tasks/description/description.js';
import { conventionConflicts, PYTORCH, TENSORFLOW } from '../../src/weights/conventions.js';
import { matchWeights, type LoadOptions } from '../../src/weights/load.js';
import { nameMaps } from '../../src/weights/names.js';
import { ssdliteMobilenetV2 } from '../../src/weights/names/ssdliteMobilenetV2.js';
import { timmConventions } from '../../src/weights/names/timm.js';
import type { WeightsFile } from '../../src/weights/read.js';

const fileWith = (conventions: WeightsFile['conventions']): WeightsFile => ({
  source: { uri: 'file:x', file: '/x', dir: '/', sha256: '' },
  layout: 'torch',
  params: new Map([['bn1.running_var', { shape: [2], data: Float32Array.of(0.5, 1e-6) }]]),
  categories: undefined,
  conventions,
  description: undefined,
  folded: [],
  setAside: [],
});
const wanted = [{ name: 'bn1.running_var', shape: [2], kind: 'vector' }] as const;
const options: LoadOptions = { categories: [], conventions: PYTORCH };

test.each([
  ['larger', 1e-3],
  ['smaller, so that a variance may become negative', 0],
])('an ε that is %s gives the same function: variance + ε stays', (_, epsilon) => {
  const { params, report } = matchWeights(fileWith({ epsilon }), wanted, options);
  const [first, second] = params.get('bn1.running_var')!.data;
  expect(first! + PYTORCH.epsilon).toBeCloseTo(0.5 + epsilon, 7);
  expect(second! + PYTORCH.epsilon).toBeCloseTo(1e-6 + epsilon, 10);
  expect(report.adapted).toEqual([expect.stringContaining(`ε = ${epsilon}`)]);
});

test('what is known and the same changes nothing', () => {
  const { params, report } = matchWeights(fileWith(PYTORCH), wanted, options);
  expect(params.get('bn1.running_var')!.data).toEqual(Float32Array.of(0.5, 1e-6));
  expect(report.adapted).toEqual([]);
});

test('another padding and another normalisation are refused, both at once', () => {
  expect(() => matchWeights(fileWith(TENSORFLOW), wanted, options)).toThrow(
    expect.objectContaining({
      problems: [
        expect.objectContaining({ code: 'E_WEIGHTS_MODEL', message: expect.stringContaining('padding') as unknown }),
        expect.objectContaining({ message: expect.stringContaining('normalisation') as unknown }),
      ],
    }),
  );
});

test("Google's rounding of its normalisation is not another one", () => {
  expect(conventionConflicts({ mean: [127, 127, 127], std: [128, 128, 128] }, TENSORFLOW)).toEqual([]);
});

test('the models that a name map lists have its conventions', () => {
  const renaming = nameMaps.filter((map) => map !== ssdliteMobilenetV2); // it looks for every array
  for (const { origin, models, apply } of renaming) {
    const { conventions } = apply(new Map(), '/x');
    const fitting = [...backbones.values()].filter(({ name }) => models.test(name));
    const conflicts = fitting.flatMap((one) => conventionConflicts(conventions, conventionsOf(one)));
    expect({ origin, conflicts }).toEqual({ origin, conflicts: [] });
    expect({ origin, padding: conventions.padding }).toEqual({ origin, padding: expect.any(String) });
  }
});

test.each([
  ['hf:timm/tf_efficientnet_b0.in1k', 'efficientnet_b0', ['padding']],
  ['hf:timm/tf_efficientnet_b0.ap_in1k', 'tf_efficientnet_b0', ['normalisation']],
  ['hf:timm/mobilenetv3_large_100.miil_in21k_ft_in1k', 'mobilenetv3_large_100', ['normalisation']],
  ['hf:timm/mobilenetv3_large_100.ra_in1k', 'mobilenetv3_large_100', []],
  ['hf:timm/tf_efficientnet_b0.in1k@main/model.safetensors', 'tf_efficientnet_b0', []],
  ['hf:timm/efficientnet_b1.ft_in1k', 'efficientnet_b1', ['normalisation']],
  ['hf:timm/efficientnet_b1.ft_in1k', 'tv_efficientnet_b1', []],
  ['https://host/tf_efficientnet_b0.pth', 'efficientnet_b0', []],
])('%s in %s contradicts it in %j', (uri, backbone, wrong) => {
  const conflicts = conventionConflicts(timmConventions(uri), conventionsOf(backbones.get(backbone)!));
  expect(conflicts.map((conflict) => conflict.split(':')[0])).toEqual(wrong);
});
