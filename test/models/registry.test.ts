import { describe as group, expect, test } from '@jest/globals';
import { createGraph, input } from '../../src/graph/builder.js';
import { count } from '../../src/graph/count.js';
import { isOp } from '../../src/graph/builder.js';
import { buildClassifier, describe } from '../../src/models/describe.js';
import { differences, published } from '../../src/models/published.js';
import { backbones, families, familyOf, findBackbone } from '../../src/models/registry.js';
import { classificationTask } from '../../src/tasks/classification/classification.js';
import { ancestors } from '../../src/graph/rewrite.js';
import { adaptivePool } from '../../src/models/backbones/linearHead.js';
import { optionAt } from '../../src/recipe/options.js';

const all = [...backbones.values()];
const CLASSIFIER = { numClasses: 2, labelSmoothing: 0, classWeights: undefined, dropout: 0, stochasticDepth: 0 };

test('a recipe takes each of them', () => {
  const { anyOf } = optionAt(['model', 'backbone'], { task: 'classification' })!;
  expect(anyOf![0]!.enum).toEqual([...backbones.keys()]);
});

test('no two families have a name in common, and the nearest name is offered', () => {
  expect(backbones.size).toBe(families.flat().length);
  expect(() => findBackbone('rexnet100')).toThrow(/did you mean "rexnet_100"\?/);
  expect(() => findBackbone('moblenetv2')).toThrow(/did you mean "mobilenetv2"\? Its names are mobilenetv2_035, /);
  expect(() => findBackbone('mobilenetv2')).toThrow(/"mobilenetv2" has several widths: mobilenetv2_035, /);
  expect(familyOf('mobilenetv2')).toContain(backbones.get('mobilenetv2_100'));
  expect(familyOf('resnet50')).toEqual([]);
  expect(() => findBackbone('perceptron')).toThrow(expect.objectContaining({ code: 'E_MODEL_UNKNOWN' }));
});

test('classifiers of VGG and SqueezeNet take small images, and where one does not, the error names a size', () => {
  const create = (backbone: string, side: number) =>
    classificationTask({ ...CLASSIFIER, backbone, size: [side, side] }).name;
  for (const name of ['vgg11', 'squeezenet1_0', 'squeezenet1_1']) expect(create(name, 32)).toBe('classification');
  const fix = 'set data.size: [64, 64]';
  expect(() => create('alexnet', 40)).toThrow(
    expect.objectContaining({ code: 'E_MODEL_SIZE', problems: [expect.objectContaining({ fix })] }),
  );
});

test('adaptive pooling has the windows of PyTorch', () => {
  const map = adaptivePool(input(createGraph(), 'x', [1, 5, 3, 3]), 3);
  expect(map.shape).toEqual([1, 3, 3, 3]);
  const windows = ancestors([map]).flatMap((node) => (isOp(node, 'slice') ? [node.attrs] : []));
  const rows = windows.map(({ begin, size }) => [begin[1], size[1]]);
  expect(rows).toEqual([0, 1, 3].map((start, i) => [start, [2, 3, 2][i]]));
});

/** Compares with the figures of the talk and of the papers, and with the counts of timm and pytorchcv. */
group('counted equals published', () => {
  /** Relative tolerance: printed figures are rounded, and authors count in different ways. */
  const TOLERANCE = 0.03;
  const near = (counted: number, figure: number | null): boolean =>
    figure === null || Math.abs(counted / figure - 1) <= TOLERANCE;

  test.each([...published.keys()])('%s', (name) => {
    const summary = describe(findBackbone(name));
    const { params, macs } = summary.published;
    const equal = near(summary.params, params) && near(summary.macs, macs);
    expect(equal).toBe(!(name in differences)); // otherwise its entry in `differences` is out of date
  });

  test.each([
    ['resnet50', 23.5e6],
    ['resnet101', 42.5e6],
  ])('%s without the classifier', (name, params) => {
    const { taps } = buildClassifier(findBackbone(name));
    expect(Math.round(count([taps.c5]).params / 1e5)).toBe(params / 1e5);
  });

  test('inception_v3 at 224', () => {
    const { logits } = buildClassifier(findBackbone('inception_v3'), { size: 224 });
    expect((count([logits]).macs / 1e9).toFixed(1)).toBe('2.8'); // printed: 2.9
  });

  test.each([
    ['proxylessnas_mobile', 4080512],
    ['proxylessnas_gpu', 7119848],
    ['proxylessnas_cpu', 4361648],
    ['shufflenet_g1_w1', 1531936],
    ['shufflenet_g2_w1', 1733848],
    ['shufflenet_g3_w1', 1865728],
    ['shufflenet_g4_w1', 1968344],
    ['shufflenet_g8_w1', 2434768],
    ['shufflenet_g3_wd2', 718324],
    ['peleenet', 2802248],
    ['pyramidnet101_a360', 42455070],
  ])('%s has as many parameters as in pytorchcv', (name, params) => {
    expect(describe(findBackbone(name)).params).toBe(params);
  });
});

group.each(all.map((backbone) => [backbone.name, backbone] as const))('%s', (_, backbone) => {
  const graph = createGraph();
  const at = { graph, style: backbone.style, trainBatchNorm: () => false };
  const taps = backbone.features(input(graph, 'image', [1, 320, 320, 3]), at);
  const names = graph.nodes.flatMap((node) => (isOp(node, 'param') ? [node.attrs.name] : []));

  test('halves the size from tap to tap', () => {
    const maps = [taps.c1, taps.c2, taps.c3, taps.c4, taps.c5];
    const strides = maps.map((map) => map && Math.round(Math.log2(320 / map.shape[1]!)));
    expect(strides).toEqual([backbone.name === 'alexnet' ? undefined : 1, 2, 3, 4, 5]);
    expect([undefined, taps.c4.shape[1]]).toContain(taps.c4Expanded?.shape[1]);
  });

  test('has every feature parameter in one stage', () => {
    const prefixes = backbone.stages.flat().map((prefix) => `${prefix}.`);
    for (const name of names)
      expect([name, prefixes.filter((prefix) => name.startsWith(prefix)).length]).toEqual([name, 1]);
    for (const prefix of prefixes.filter((prefix) => !/pre_logits|conv_head|norm_head|output/.test(prefix)))
      expect([prefix, names.some((name) => name.startsWith(prefix))]).toEqual([prefix, true]);
  });
});
