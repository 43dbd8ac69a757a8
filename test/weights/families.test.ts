import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../src/graph/blocks.js';
import { createGraph, input, isOp } from '../../src/graph/builder.js';
import { ancestors } from '../../src/graph/rewrite.js';
import { findBackbone } from '../../src/models/registry.js';
import { torchShape } from '../../src/weights/layout.js';
import { findNameMap, nameWeights } from '../../src/weights/names.js';
import { countValues, type RawTensor } from '../../src/weights/decode/rawTensor.js';
import type { RawWeights } from '../../src/weights/decode/raw.js';
import { recognise } from '../../src/cli/recognise.js';

type Shapes = Record<string, readonly number[]>;
const fixtures = join(import.meta.dirname, 'fixtures');
const readJson = async (path: string) => JSON.parse(await readFile(join(fixtures, path), 'utf8')) as unknown;

/** A file with these names; each array holds its own number, so that it can be found again. */
function fileOf(shapes: Shapes, layout: RawWeights['layout']): RawWeights {
  const tensors = new Map<string, RawTensor>();
  for (const [name, shape] of Object.entries(shapes)) {
    const counter = name.endsWith('num_batches_tracked') || name.endsWith('/count');
    const data = counter ? BigInt64Array.of(1n) : new Float32Array(countValues(shape)).fill(tensors.size);
    tensors.set(name, { shape, dtype: 'x', data });
  }
  return { format: 'a test', layout, tensors, metadata: {} };
}
/** What the file calls the array that we call `name`. */
function origin(file: RawWeights, name: string): string | undefined {
  const { params } = nameWeights(file, 'x');
  return [...file.tensors].find(([, { data }]) => data === params.get(name)?.data)?.[0];
}
/** Every parameter of a backbone with its classifier, in the layout of the file. */
function wanted(name: string, layout: RawWeights['layout']): Shapes {
  const backbone = findBackbone(name);
  const graph = createGraph();
  const at: Context = { graph, style: backbone.style, trainBatchNorm: () => false };
  const taps = backbone.features(input(graph, 'image', [1, 224, 224, 3]), at);
  const params = ancestors([backbone.classifier(taps, at, 1000)]).flatMap((node) =>
    isOp(node, 'param') ? [node.attrs] : [],
  );
  return Object.fromEntries(
    params.map(({ name: path, shape, kind }) => [
      path.replace(/^backbone\./, ''),
      layout === 'torch' ? torchShape(kind, shape) : shape,
    ]),
  );
}
const named = (file: RawWeights): Shapes =>
  Object.fromEntries([...nameWeights(file, 'x').params].map(([name, { shape }]) => [name, shape]));

describe("Keras' applications", () => {
  let applications: Record<string, Shapes>; // fixtures/makeKeras.py
  beforeAll(async () => {
    applications = (await readJson('keras/applications.json')) as typeof applications;
  });

  it.each([
    ['mobilenet_v2', 'tf_mobilenetv2_100'],
    ['efficientnet_b0', 'tf_efficientnet_b0'],
  ])('%s has every parameter of %s', (application, backbone) => {
    const file = fileOf(applications[application]!, 'ours');
    expect(named(file)).toEqual(wanted(backbone, 'ours'));
    expect(recognise(file, 'x')).toMatchObject({ backbones: [backbone], classes: 1000 });
  });

  it.each([
    ['mobilenet_v2', 'blocks.0.0.bn1.running_var', 'expanded_conv_depthwise_BN/moving_variance'],
    ['mobilenet_v2', 'blocks.1.0.bn1.bias', 'block_1_expand_BN/beta'],
    ['mobilenet_v2', 'blocks.2.1.bn2.weight', 'block_4_depthwise_BN/gamma'],
    ['mobilenet_v2', 'blocks.6.0.conv_pwl.weight', 'block_16_project/kernel'],
    ['mobilenet_v2', 'bn2.running_mean', 'Conv_1_bn/moving_mean'],
    ['efficientnet_b0', 'blocks.0.0.conv_pw.weight', 'block1a_project_conv/kernel'],
    ['efficientnet_b0', 'blocks.2.1.bn2.weight', 'block3b_bn/gamma'],
    ['efficientnet_b0', 'blocks.5.3.se.conv_reduce.bias', 'block6d_se_reduce/bias'],
    ['efficientnet_b0', 'blocks.5.3.bn3.bias', 'block6d_project_bn/beta'],
  ])('%s: %s is %s', (application, ours, theirs) => {
    expect(origin(fileOf(applications[application]!, 'ours'), ours)).toBe(theirs);
  });
});

describe('torchvision and efficientnet_pytorch', () => {
  let shapes: Record<string, Shapes>; // fixtures/makeNames.py
  beforeAll(async () => {
    shapes = ((await readJson('names.json')) as { shapes: typeof shapes }).shapes;
  });

  it.each([
    ['mobilenet_v2', 'mobilenetv2_100', "torchvision's mobilenet_v2"],
    ['vgg16_bn', 'vgg16_bn', "torchvision's vgg"],
    ['vgg11', 'vgg11', "torchvision's vgg"],
    ['alexnet', 'alexnet', "torchvision's alexnet"],
    ['efficientnet_b0', 'efficientnet_b0', "torchvision's efficientnet"],
    ['mnasnet1_0', 'mnasnet_100', "torchvision's mnasnet"],
    ['mobilenet_v3_small', 'mobilenetv3_small_100', "torchvision's mobilenet_v3_small"],
    ['inception_v3', 'inception_v3', "torchvision's inception_v3"],
    ['resnet50', 'resnet50', 'names as they are (timm, torchvision, ours)'],
    ['efficientnet_lite0', 'tf_efficientnet_lite0', "efficientnet_pytorch's EfficientNet"],
  ])('%s has every parameter of %s', (theirs, backbone, names) => {
    const file = fileOf(shapes[theirs]!, 'torch');
    expect(named(file)).toEqual(wanted(backbone, 'torch'));
    expect(findNameMap(file)?.origin).toBe(names);
    expect(recognise(file, 'x')).toMatchObject({ names, classes: 1000 });
    expect(recognise(file, 'x').backbones).toContain(backbone);
  });

  it.each([
    ['mobilenet_v2', 'blocks.0.0.conv_pw.weight', 'features.1.conv.1.weight'],
    ['mobilenet_v2', 'blocks.0.0.bn2.bias', 'features.1.conv.2.bias'],
    ['mobilenet_v2', 'blocks.3.2.bn2.running_mean', 'features.9.conv.1.1.running_mean'],
    ['mobilenet_v2', 'blocks.6.0.bn3.weight', 'features.17.conv.3.weight'],
    ['vgg16_bn', 'pre_logits.fc2.bias', 'classifier.3.bias'],
    ['efficientnet_b0', 'blocks.0.0.conv_dw.weight', 'features.1.0.block.0.0.weight'],
    ['efficientnet_b0', 'blocks.0.0.se.conv_expand.bias', 'features.1.0.block.1.fc2.bias'],
    ['efficientnet_b0', 'blocks.2.1.bn3.running_var', 'features.3.1.block.3.1.running_var'],
    ['mnasnet1_0', 'blocks.1.2.conv_dw.weight', 'layers.8.2.layers.3.weight'],
    ['mnasnet1_0', 'blocks.6.0.bn2.bias', 'layers.13.0.layers.4.bias'],
    ['mobilenet_v3_small', 'blocks.1.1.bn2.weight', 'features.3.block.1.1.weight'],
    ['mobilenet_v3_small', 'blocks.4.2.se.conv_reduce.bias', 'features.11.block.2.fc1.bias'],
    ['mobilenet_v3_small', 'blocks.5.0.bn1.running_mean', 'features.12.1.running_mean'],
    ['efficientnet_lite0', 'blocks.0.0.bn2.weight', '_blocks.0._bn2.weight'],
    ['efficientnet_lite0', 'blocks.1.0.bn1.weight', '_blocks.1._bn0.weight'],
    ['efficientnet_lite0', 'blocks.5.3.bn3.weight', '_blocks.14._bn2.weight'],
    ['efficientnet_lite0', 'bn2.weight', '_bn1.weight'],
  ])('%s: %s is %s', (theirs, ours, name) => {
    expect(origin(fileOf(shapes[theirs]!, 'torch'), ours)).toBe(name);
  });
});

describe("torchvision's fcos_resnet50_fpn", () => {
  let file: RawWeights; // ../fixtures/detectors/fcos.py
  beforeAll(async () => {
    const { cases } = (await readJson('../../fixtures/detectors/fcos.json')) as {
      cases: { depth: number; state: Shapes }[];
    };
    file = fileOf(cases.find(({ depth }) => depth === 50)!.state, 'torch');
  });

  it('is known by its head', () => {
    expect(findNameMap(file)?.origin).toBe("torchvision's fcos_resnet50_fpn");
    expect(nameWeights(file, 'x').setAside).toEqual([]);
  });

  it.each([
    ['neck.layer_blocks.2.bias', 'backbone.fpn.layer_blocks.2.0.bias'],
    ['neck.extra_blocks.p7.weight', 'backbone.fpn.extra_blocks.p7.weight'],
    ['head.class.conv.0.weight', 'head.classification_head.conv.0.weight'],
    ['head.class.norm.0.weight', 'head.classification_head.conv.1.weight'],
    ['head.box.conv.3.bias', 'head.regression_head.conv.9.bias'],
    ['head.box.norm.3.bias', 'head.regression_head.conv.10.bias'],
    ['head.class.predict.bias', 'head.classification_head.cls_logits.bias'],
    ['head.box.predict.weight', 'head.regression_head.bbox_reg.weight'],
    ['head.box.centerness.weight', 'head.regression_head.bbox_ctrness.weight'],
    // Variances are loaded unchanged. RetinaNet's are changed, because its frozen BatchNorms have ε = 0.
    ['backbone.layer1.0.bn1.running_var', 'backbone.body.layer1.0.bn1.running_var'],
  ])('%s is %s', (ours, name) => {
    expect(origin(file, ours)).toBe(name);
  });
});
