import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs';
import type { Params } from '../../src/graph/params.js';
import { catalog } from '../../src/weights/catalog.js';
import { SSDLITE_MOBILENET_V2_EPSILON } from '../../src/weights/names/ssdliteMobilenetV2.js';
import { readWeights, type WeightsFile } from '../../src/weights/read.js';
import { ANCHORS, type CocoSsd, maxDifference, openCocoSsd } from './cocoSsd.js';

describe('names of ssdlite_mobilenet_v2', () => {
  let file: WeightsFile;
  let oracle: CocoSsd;
  beforeAll(async () => {
    file = await readWeights(catalog[0]!.uri);
    oracle = await openCocoSsd();
  });
  afterAll(() => oracle.dispose());

  it('leaves only constants aside', () => {
    expect(file.setAside).toHaveLength(29);
    for (const name of file.setAside) {
      expect(name).toMatch(/^(ConstantFolding\/)?(Pre|Post)processor\/|^BoxPredictor_\d\/stack|^MultipleGrid/);
    }
  });

  it('names the 80 categories by their COCO ids', () => {
    expect(file.categories).toHaveLength(90);
    expect(file.categories?.filter((name) => name !== '')).toHaveLength(80);
    expect([file.categories?.[0], file.categories?.[11], file.categories?.[89]]).toEqual(['person', '', 'toothbrush']);
  });

  it('keeps the function: box encodings and logits of the GraphModel', async () => {
    let seed = 1;
    const noise = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const data = Uint8Array.from({ length: 120 * 160 * 3 }, () => noise() * 256);
    const { input, boxDeltas, logits } = await oracle.runPicture({ data, width: 160, height: 120 });
    const again = await oracle.run(input);
    expect(maxDifference(again.logits, logits)).toBe(0);
    expect(logits.some((logit) => Math.abs(logit) > 1)).toBe(true);
    const ours = await forward(file.params as Params, input);
    expect(ours.logits).toHaveLength(ANCHORS * 90);
    expect(maxDifference(ours.boxDeltas, boxDeltas)).toBeLessThan(1e-3);
    expect(maxDifference(ours.logits, logits)).toBeLessThan(1e-3);
  });
});

/** MobileNetV2 with SSD-lite heads written down from our names alone, in plain tfjs. */
async function forward(params: Params, image: Float32Array) {
  const tensor = (name: string): tf.Tensor => tf.tensor(params.get(name)!.data, [...params.get(name)!.shape]);
  const conv = (x: tf.Tensor4D, name: string, stride = 1) =>
    tf.conv2d(x, tensor(`${name}.weight`) as tf.Tensor4D, stride, 'same');
  const depthwise = (x: tf.Tensor4D, name: string, stride = 1) =>
    tf.depthwiseConv2d(x, tensor(`${name}.weight`) as tf.Tensor4D, stride, 'same');
  const norm = (x: tf.Tensor4D, name: string) => {
    const [scale, shift, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (part) => tensor(`${name}.${part}`) as tf.Tensor1D,
    );
    return tf.batchNorm(x, mean!, variance!, shift, scale, SSDLITE_MOBILENET_V2_EPSILON);
  };
  const relu6 = (x: tf.Tensor4D) => tf.relu6(x);

  const [boxDeltas, logits] = tf.tidy(() => {
    let x = relu6(norm(conv(tf.tensor4d(image, [1, 300, 300, 3]), 'backbone.conv_stem', 2), 'backbone.bn1'));
    const taps: tf.Tensor4D[] = [];
    for (const [stage, blocks] of [1, 2, 3, 4, 3, 3, 1].entries()) {
      for (let block = 0; block < blocks; block++) {
        const path = `backbone.blocks.${stage}.${block}`;
        const stride = block === 0 && [1, 2, 3, 5].includes(stage) ? 2 : 1;
        if (stage === 0) {
          x = relu6(norm(depthwise(x, `${path}.conv_dw`), `${path}.bn1`));
          x = norm(conv(x, `${path}.conv_pw`), `${path}.bn2`);
          continue;
        }
        const expanded = relu6(norm(conv(x, `${path}.conv_pw`), `${path}.bn1`));
        if (stage === 5 && block === 0) taps.push(expanded);
        const inner = relu6(norm(depthwise(expanded, `${path}.conv_dw`, stride), `${path}.bn2`));
        const y = norm(conv(inner, `${path}.conv_pwl`), `${path}.bn3`);
        x = block === 0 ? y : tf.add(x, y);
      }
    }
    x = relu6(norm(conv(x, 'backbone.conv_head'), 'backbone.bn2'));
    taps.push(x);
    for (let i = 0; i < 4; i++) {
      const path = `neck.extras.${i}`;
      x = relu6(norm(conv(x, `${path}.conv_pw`), `${path}.bn1`));
      x = relu6(norm(depthwise(x, `${path}.conv_dw`, 2), `${path}.bn2`));
      x = relu6(norm(conv(x, `${path}.conv_pwl`), `${path}.bn3`));
      taps.push(x);
    }
    return ['box', 'class'].map((head) =>
      tf.concat(
        taps.map((tap, level) => {
          const path = `head.${head}.${level}`;
          const features = relu6(norm(depthwise(tap, `${path}.conv_dw`), `${path}.bn`));
          const columns = tf.add(conv(features, `${path}.predict`), tensor(`${path}.predict.bias`));
          return tf.reshape(columns, [-1, head === 'box' ? 4 : 90]);
        }),
      ),
    );
  });
  const values = await Promise.all([boxDeltas!.data(), logits!.data()]);
  tf.dispose([boxDeltas!, logits!]);
  return { boxDeltas: values[0] as Float32Array, logits: values[1] as Float32Array };
}
