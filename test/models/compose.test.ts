import { describe, expect, test } from '@jest/globals';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { FinetuneError } from '../../src/errors.js';
import { createGraph, input, isOp } from '../../src/graph/builder.js';
import { count } from '../../src/graph/count.js';
import { ancestors } from '../../src/graph/rewrite.js';
import { sizeOf } from '../../src/graph/shapes.js';
import { backbones, findBackbone } from '../../src/models/registry.js';
import { createDetector } from '../../src/tasks/detection/detection.js';
import type { DetectionOptions } from '../../src/tasks/detection/detectors.js';

type Size = readonly [number, number];
const names = [...backbones.keys()];

/** Backbones with unusual feature maps: no stride 2, windows without padding, odd sides. */
const ODD: readonly string[] = ['alexnet', 'inception_v3', 'squeezenet1_0', 'pyramidnet101_a360', 'legacy_xception', 'densenet121', 'vgg16']; // prettier-ignore
const every = process.env.FINETUNE_SLOW === '1' ? 1 : 24;
const sampled = names.filter((name, i) => i % every === 0 || ODD.includes(name));

const combinations: readonly { head: DetectionOptions['head']; more?: object; sizes: readonly Size[] }[] = [
  { head: 'ssdlite', sizes: [[320, 320], [300, 225]] },
  { head: 'ssdlite', more: { finestStride: 8 }, sizes: [[224, 320]] },
  { head: 'retinanet', more: { channels: 32 }, sizes: [[320, 320], [300, 225]] },
  { head: 'retinanet', more: { channels: 32, neck: 'balanced' }, sizes: [[384, 256]] },
  { head: 'fasterRcnn', more: { channels: 32, units: 64, proposals: 20 }, sizes: [[320, 320]] },
  { head: 'fasterRcnn', more: { channels: 32, units: 64, proposals: 20, neck: 'balanced' }, sizes: [[192, 320]] },
  { head: 'fcos', more: { channels: 32 }, sizes: [[320, 320], [300, 225]] },
  { head: 'yolov1', more: { channels: 64 }, sizes: [[448, 448], [300, 225]] },
]; // prettier-ignore
const cases = combinations.flatMap(({ head, more = {}, sizes }) =>
  sizes.map((size) => ({ ...detectorDefaults[head], ...more, size, numClasses: 3 })),
);

const parametersOf = (roots: Parameters<typeof ancestors>[0]): Map<string, number> =>
  new Map(
    ancestors(roots).flatMap((node) => (isOp(node, 'param') ? [[node.attrs.name, sizeOf(node.attrs.shape)]] : [])),
  );

/** Parameters of the backbone that lead to the maps which the head reads. */
function backboneParameters(name: string, size: Size): Map<string, number> {
  const { features, style } = findBackbone(name);
  const graph = createGraph();
  const taps = features(input(graph, 'image', [1, ...size, 3]), { graph, style, trainBatchNorm: () => false });
  return parametersOf(Object.values(taps));
}

describe.each(cases)('$head $neck $finestStride at $size', (options) => {
  test.each(sampled)('%s', (backbone) => {
    const asked = { ...options, backbone } as DetectionOptions;
    const { outputs } = createOrFit(asked);
    const roots = Object.values(outputs);
    const own = backboneParameters(backbone, options.size);
    const parameters = [...parametersOf(roots)];
    const shared = parameters.filter(([name]) => name.startsWith('backbone.'));
    expect(shared.filter(([name, length]) => own.get(name) !== length)).toEqual([]);
    const others = parameters.filter(([name]) => !name.startsWith('backbone.'));
    expect(others.filter(([name]) => !/^(neck|head)\./.test(name))).toEqual([]);
    const added = others.reduce((sum, [, length]) => sum + length, 0);
    expect(added).toBeGreaterThan(10_000);
    expect(added).toBeLessThan(25_000_000); // YOLO's first convolution on PyramidNet's 6,000 channels
    expect(count(roots).macs).toBeGreaterThan(1e7);
  });
});

/** The detector at this size, or, where the size does not fit, at the size that the error names. */
function createOrFit(options: DetectionOptions): {
  outputs: ReturnType<ReturnType<typeof createDetector>['build']>['outputs'];
} {
  const build = (asked: DetectionOptions) =>
    createDetector(asked).build({ batch: 1, size: asked.size, trainBatchNorm: () => false });
  try {
    return build(options);
  } catch (error) {
    expect(error).toBeInstanceOf(FinetuneError);
    const { code, problems } = error as FinetuneError;
    expect([code, problems[0]!.option]).toEqual(['E_MODEL_SIZE', 'data.size']);
    const size = /set data\.size: \[(\d+), (\d+)\]/.exec(problems[0]!.fix!);
    if (size) return build({ ...options, size: [Number(size[1]), Number(size[2])] });
    expect(problems[0]!.fix).toContain('model.neck: fpn');
    return build({ ...options, neck: 'fpn' } as DetectionOptions);
  }
}

test.each([
  ['inception_v3', [32, 32], 'set data.size: [96, 96]'],
  ['mobilenetv2_100', [200, 384], 'set data.size: [256, 384]'],
] as const)('%s at %j: the error names the size that fits', (backbone, size, fix) => {
  const neck = backbone === 'mobilenetv2_100' ? 'balanced' : 'fpn';
  const options = { ...detectorDefaults.retinanet, backbone, size, neck, numClasses: 3 } as DetectionOptions;
  expect(() => createDetector(options)).toThrow(
    expect.objectContaining({
      code: 'E_MODEL_SIZE',
      problems: [expect.objectContaining({ option: 'data.size', fix })],
    }),
  );
});

test.each([...new Set([...sampled, ...names.filter((name) => name.startsWith('vgg'))])])(
  'SSD stands on %s',
  (backbone) => {
    const options = { ...detectorDefaults.ssd, backbone, numClasses: 3 };
    expect(createDetector(options).anchors!.levels).toHaveLength(6);
  },
);
