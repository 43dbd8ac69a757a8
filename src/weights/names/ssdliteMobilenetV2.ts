import { TENSORFLOW } from '../conventions.js';
import { FinetuneError, type Problem } from '../../errors.js';
import type { Params } from '../../graph/params.js';
import { COCO_COLUMNS } from '../../categories/coco.js';
import { pickColumns } from '../layout.js';
import { formatShape, type RawTensor } from '../decode/rawTensor.js';
import type { NamedWeights, NameMap } from './nameMap.js';

/** The ε of every BatchNorm of TensorFlow's ssdlite_mobilenet_v2 (an attribute of its FusedBatchNorm nodes). */
export const SSDLITE_MOBILENET_V2_EPSILON = TENSORFLOW.epsilon;

/** The TensorFlow scope of a convolution and its BatchNorm. */
interface Row {
  readonly conv: string;
  readonly norm: string;
  readonly scope: string;
  readonly depthwise?: true;
}

/** Blocks of each stage: 16×1, 24×2, 32×3, 64×4, 96×3, 160×3, 320×1 (Sandler et al. 2018, table 2,
 *  arXiv:1801.04381). */
const STAGES = [1, 2, 3, 4, 3, 3, 1];
/** Output channels of the layers that follow the backbone. */
const EXTRAS = [512, 256, 256, 128];
const LEVELS = 6;

function* backboneRows(): Generator<Row> {
  const at = (prefix: string, conv: string, norm: string, scope: string): Row => ({
    conv: prefix + conv,
    norm: prefix + norm,
    scope: `FeatureExtractor/MobilenetV2/${scope}`,
    ...(conv === 'conv_dw' && { depthwise: true }),
  });
  yield at('backbone.', 'conv_stem', 'bn1', 'Conv');
  let count = 0;
  for (const [stage, blocks] of STAGES.entries()) {
    for (let block = 0; block < blocks; block++, count++) {
      const prefix = `backbone.blocks.${stage}.${block}.`;
      const scope = count === 0 ? 'expanded_conv' : `expanded_conv_${count}`;
      if (count === 0) {
        yield at(prefix, 'conv_dw', 'bn1', `${scope}/depthwise`);
        yield at(prefix, 'conv_pw', 'bn2', `${scope}/project`);
      } else {
        yield at(prefix, 'conv_pw', 'bn1', `${scope}/expand`);
        yield at(prefix, 'conv_dw', 'bn2', `${scope}/depthwise`);
        yield at(prefix, 'conv_pwl', 'bn3', `${scope}/project`);
      }
    }
  }
  yield at('backbone.', 'conv_head', 'bn2', 'Conv_1');
  for (const [i, channels] of EXTRAS.entries()) {
    const prefix = `neck.extras.${i}.`;
    yield at(prefix, 'conv_pw', 'bn1', `layer_19_1_Conv2d_${i + 2}_1x1_${channels / 2}`);
    yield at(prefix, 'conv_dw', 'bn2', `layer_19_2_Conv2d_${i + 2}_3x3_s2_${channels}_depthwise`);
    yield at(prefix, 'conv_pwl', 'bn3', `layer_19_2_Conv2d_${i + 2}_3x3_s2_${channels}`);
  }
}

export const ssdliteMobilenetV2: NameMap = {
  origin: "TensorFlow's ssdlite_mobilenet_v2",
  models: /^tf_mobilenetv2_/,
  recognises: (raw) =>
    raw.has('FeatureExtractor/MobilenetV2/Conv/Conv2D/merged_input') &&
    raw.has('BoxPredictor_0/ClassPredictor_depthwise/depthwise_weights'),
  apply: nameSsdliteMobilenetV2,
};

/** Gives the arrays of TensorFlow's ssdlite_mobilenet_v2 (COCO), as frozen for TensorFlow.js, our names. In the file
 *  the BatchNorms of the backbone are folded and those of the heads are not. TensorFlow's layouts are ours. Throws
 *  E_WEIGHTS_MISSING, E_WEIGHTS_SHAPE. */
function nameSsdliteMobilenetV2(raw: ReadonlyMap<string, RawTensor>, file: string): NamedWeights {
  const params: Params = new Map();
  const folded: string[] = [];
  const used = new Set<string>();
  const problems: Problem[] = [];
  const take = (name: string): { shape: readonly number[]; data: Float32Array } => {
    const tensor = raw.get(name);
    used.add(name);
    if (tensor?.data instanceof Float32Array) return { shape: tensor.shape, data: tensor.data };
    problems.push({
      code: 'E_WEIGHTS_MISSING',
      message: `the GraphModel lacks the weights "${name}"`,
      where: { file },
    });
    return { shape: [0], data: new Float32Array() };
  };
  const put = (name: string, shape: readonly number[], data: Float32Array) => params.set(name, { shape, data });

  for (const { conv, norm, scope, depthwise } of backboneRows()) {
    const filter = take(depthwise ? `${scope}/depthwise_weights` : `${scope}/Conv2D/merged_input`);
    const shift = take(`${scope}/BatchNorm/batchnorm/sub`);
    const ones = new Float32Array(shift.data.length).fill(1);
    put(`${conv}.weight`, filter.shape, filter.data);
    // A depthwise filter is not merged: the file has its factor γ/√(σ²+ε) apart, and with σ²+ε = 1 the factor is γ.
    put(`${norm}.weight`, shift.shape, depthwise ? take(`${scope}/BatchNorm/batchnorm/mul`).data : ones);
    put(`${norm}.bias`, shift.shape, shift.data);
    put(`${norm}.running_mean`, shift.shape, new Float32Array(shift.data.length));
    put(
      `${norm}.running_var`,
      shift.shape,
      ones.map((one) => one - SSDLITE_MOBILENET_V2_EPSILON),
    );
    folded.push(norm);
  }
  for (let level = 0; level < LEVELS; level++) {
    for (const [ours, theirs] of [
      ['box', 'BoxEncodingPredictor'],
      ['class', 'ClassPredictor'],
    ] as const) {
      const head = `head.${ours}.${level}`;
      const scope = `BoxPredictor_${level}/${theirs}`;
      const copy = (name: string, from: string) => {
        const { shape, data } = take(from);
        put(name, shape, data);
      };
      copy(`${head}.conv_dw.weight`, `${scope}_depthwise/depthwise_weights`);
      copy(`${head}.bn.weight`, `${scope}_depthwise/BatchNorm/gamma`);
      copy(`${head}.bn.bias`, `${scope}_depthwise/BatchNorm/beta`);
      copy(`${head}.bn.running_mean`, `${scope}_depthwise/BatchNorm/moving_mean`);
      copy(`${head}.bn.running_var`, `${scope}_depthwise/BatchNorm/moving_variance`);
      const [group, columns] = ours === 'box' ? BOX_COLUMNS : CLASS_COLUMNS;
      for (const [name, from] of [
        ['weight', 'weights'],
        ['bias', 'biases'],
      ] as const) {
        const { shape, data } = take(`${scope}/${from}`);
        if (shape.at(-1)! % group === 0) {
          const picked = pickColumns({ shape, data }, group, columns);
          put(`${head}.predict.${name}`, picked.shape, picked.data);
        } else {
          const message = `"${scope}/${from}" is ${formatShape(shape)}, which is not a multiple of ${group} columns`;
          problems.push({ code: 'E_WEIGHTS_SHAPE', message, where: { file } });
        }
      }
    }
  }
  if (problems.length > 0) throw new FinetuneError(problems);
  const setAside = [...raw.keys()].filter((name) => !used.has(name));
  return { params, categories: COCO_COLUMNS, conventions: TENSORFLOW, folded, setAside };
}

/** TensorFlow encodes the box of an anchor as (ty, tx, th, tw); ours is (tx, ty, tw, th). */
const BOX_COLUMNS = [4, [1, 0, 3, 2]] as const;
/** An anchor has 91 columns. The first is background, which a sigmoid head does not have. */
const CLASS_COLUMNS = [1 + COCO_COLUMNS.length, COCO_COLUMNS.map((_, i) => i + 1)] as const;
