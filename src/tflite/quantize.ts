import { invariant } from '../errors.js';
import { sizeOf } from '../graph/shapes.js';
import { withZero, type Range } from '../quantize/ranges.js';
import { type Levels, type TfliteModel, type TfliteNode, type TfliteTensor, withoutUnused } from './model.js';
import { carried, isWeighted, planQuantization } from './quantizable.js';

/** Static quantisation of a whole net: int8 levels of activations, one scale for each tensor; int8 weights, one scale for each
 *  output channel of a convolution and one for a fully connected layer; int32 biases. */

const LARGEST_WEIGHT = 127;
/** Biases are int32; some room is left for the sum that is added to them. */
const LARGEST_BIAS = 2 ** 30;
/** The levels of a sigmoid. */
const OF_SIGMOID: Levels = { scales: [1 / 256], zero: -128 };
/** Axis of the output channels in the weights. */
const CHANNELS: Readonly<Record<string, number>> = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3 };

export function levelsOf(range: Range): Levels {
  const { min, max } = withZero(range);
  const scale = Math.fround((max - min) / 255) || 1;
  return { scales: [scale], zero: Math.max(-128, Math.min(127, Math.round(-128 - min / scale))) };
}

/** Names of the tensors whose ranges must be measured, so that the model can be quantised. */
export const measuredTensors = (model: TfliteModel): string[] =>
  [...planQuantization(model, new Set()).groups.keys()].filter((name) => model.values.has(name));

/** Returns the model with int8 computation between inputs and outputs that stay as they are; `ranges` has the range of every
 *  tensor that measuredTensors names. */
export function quantizeTflite(
  model: TfliteModel,
  ranges: ReadonlyMap<string, Range>,
  keep: ReadonlySet<string> = new Set(),
): TfliteModel {
  const plan = planQuantization(model, keep);
  const levels = levelsOfGroups(plan, ranges);
  const tensors = new Map(model.tensors);
  const nodes: TfliteNode[] = [];
  const of = (name: string): TfliteTensor => tensors.get(name)!;
  const levelsAt = (name: string): Levels => levels.get(plan.groups.get(name)!)!;
  const made = new Set(model.nodes.filter((node) => plan.nodes.has(node)).map(({ outputs }) => outputs[0]!));
  const int8 = (name: string): string => `${name}.int8`;

  /** The float32 tensor of a value, after a node that converts it back where it was computed with int8. */
  const converted = new Set<string>();
  const asFloat = (name: string): string => {
    if (made.has(name) && !converted.has(name)) {
      converted.add(name);
      nodes.push({ op: 'DEQUANTIZE', layer: name, inputs: [int8(name)], outputs: [name], options: {} });
    }
    return name;
  };
  /** The int8 tensor of a value, after a node that converts it where it was computed with float32. */
  const asLevels = (name: string): string => {
    const levelled = int8(name);
    const { shape, data } = of(name);
    if (tensors.has(levelled)) return levelled;
    if (data) {
      const own = levelsOf(rangeOf(data as Float32Array));
      tensors.set(levelled, { type: 'int8', shape, data: toLevels(data as Float32Array, own), levels: own });
    } else {
      tensors.set(levelled, { type: 'int8', shape, levels: levelsAt(name) });
      nodes.push({ op: 'QUANTIZE', layer: name, inputs: [name], outputs: [levelled], options: {} });
    }
    return levelled;
  };

  for (const node of model.nodes) {
    if (!plan.nodes.has(node)) {
      nodes.push({ ...node, inputs: node.inputs.map((name) => (name === '' ? '' : asFloat(name))) });
      continue;
    }
    const [output] = node.outputs as readonly [string];
    const values = new Set(carried(node, model));
    const isLayer = isWeighted(node, model);
    const inputs = node.inputs.map((name, i) => {
      const isOperand = !isLayer && of(name).type === 'float32' && of(name).data !== undefined; // as in x · ⅙
      return values.has(name) || isOperand || (isLayer && i === 0) ? asLevels(name) : name;
    });
    if (isLayer) {
      const [scale] = levelsAt(node.inputs[0]!).scales as [number];
      for (const [i, [name, tensor]] of quantizeParameters(node, of, scale).entries()) {
        tensors.set(name, tensor);
        inputs[i + 1] = name;
      }
    }
    tensors.set(int8(output), { type: 'int8', shape: of(output).shape, levels: levelsAt(output) });
    nodes.push({ ...node, inputs, outputs: [int8(output)] });
  }
  for (const { tensor } of model.outputs) asFloat(tensor);
  return withoutUnused({ ...model, nodes, tensors });
}

/** The levels of each group of tensors: they reach as far as the widest one. */
function levelsOfGroups(
  { groups, fixed }: ReturnType<typeof planQuantization>,
  ranges: ReadonlyMap<string, Range>,
): ReadonlyMap<string, Levels> {
  const joined = new Map<string, Range>();
  for (const [name, group] of groups) {
    const range = ranges.get(name);
    if (!range) continue;
    const { min, max } = joined.get(group) ?? range;
    joined.set(group, { min: Math.min(min, range.min), max: Math.max(max, range.max) });
  }
  return new Map(
    [...new Set(groups.values())].map((group) => {
      if (fixed.has(group)) return [group, OF_SIGMOID];
      const range = joined.get(group);
      invariant(range, `no range for ${group}`);
      return [group, levelsOf(range)];
    }),
  );
}

function rangeOf(values: Float32Array): Range {
  let [min, max] = [0, 0];
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)];
  return { min, max };
}
function toLevels(values: Float32Array, { scales, zero }: Levels): Int8Array {
  const [scale] = scales as [number];
  return Int8Array.from(values, (value) => Math.max(-128, Math.min(127, Math.round(value / scale) + zero)));
}

/** The weight of a layer and its bias, if it has one. The bias has the scales of the products that it is added to. */
function quantizeParameters(
  { op, inputs }: TfliteNode,
  of: (name: string) => TfliteTensor,
  inputScale: number,
): [string, TfliteTensor][] {
  const [, weightName, biasName] = inputs as [string, string, string];
  const { shape, data } = of(weightName) as TfliteTensor & { data: Float32Array };
  const axis = CHANNELS[op as string];
  const inner = axis === undefined ? data.length : sizeOf(shape.slice(axis + 1));
  const channels = axis === undefined ? 1 : shape[axis]!;
  const channelOf = (i: number): number => Math.floor(i / inner) % channels;
  const most = new Float64Array(channels);
  for (const [i, value] of data.entries()) most[channelOf(i)] = Math.max(most[channelOf(i)]!, Math.abs(value));
  const bias = biasName === '' ? undefined : (of(biasName).data as Float32Array);
  const biasOf = (c: number): number => {
    if (!bias) return 0;
    return axis === undefined
      ? bias.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
      : Math.abs(bias[c]!);
  };
  const scales = Float32Array.from(most, (value, c) =>
    Math.max(value / LARGEST_WEIGHT, biasOf(c) / (LARGEST_BIAS * inputScale), 1e-12),
  );
  const weight = Int8Array.from(data, (value, i) => Math.round(value / scales[channelOf(i)]!));
  // The layers of a head share weights on all levels; each level has a scale of its own for their bias.
  const key = (name: string): string => `${name}.int8 ${inputScale}`;
  const axisOf = (place: number) => (axis === undefined ? {} : { axis: place });
  const quantized: [string, TfliteTensor][] = [
    [
      scales.every((scale, c) => scale === Math.fround(most[c]! / LARGEST_WEIGHT))
        ? `${weightName}.int8`
        : key(weightName),
      { type: 'int8', shape, data: weight, levels: { scales, zero: 0, ...axisOf(axis!) } },
    ],
  ];
  if (bias) {
    const products = scales.map((scale) => scale * inputScale);
    const sums = Int32Array.from(bias, (value, c) => Math.round(value / products[axis === undefined ? 0 : c]!));
    const levels = { scales: products, zero: 0, ...axisOf(0) };
    quantized.push([key(biasName), { type: 'int32', shape: of(biasName).shape, data: sums, levels }]);
  }
  return quantized;
}
