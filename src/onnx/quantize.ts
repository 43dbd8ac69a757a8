import { invariant } from '../errors.js';
import { sizeOf } from '../graph/shapes.js';
import type { Initializer, OnnxModel, OnnxNode } from './model.js';
import { isWeighted, planQuantization } from './quantizable.js';
import { withZero, type Range } from '../quantize/ranges.js';

/** Static quantisation in the QDQ form: a pair of QuantizeLinear and DequantizeLinear around what is computed with int8,
 *  which runtimes fuse into integer kernels. Activations are uint8 with one scale for each value; weights int8 with one
 *  scale for each output channel, symmetric. */

export interface QuantizeOptions {
  /** Names of convolutions and Gemms that stay in float32. */
  readonly keep?: ReadonlySet<string>;
  /** Bits of a weight, default 7. x86 processors without VNNI add two products of 8 bits in 16 bits, which overflow: with
   *  7 bits they do not. */
  readonly weightBits?: 7 | 8;
  /** The mean of each channel of the values that layers read. Rounded weights shift the mean of what a layer returns, which
   *  its bias then takes back. */
  readonly means?: ReadonlyMap<string, Float32Array>;
}

/** Values of 7 bits reach 64, so that 2 · 255 · 64 is below 2¹⁵. */
const LARGEST = { 7: 64, 8: 127 } as const;
/** Biases are int32; some room is left for the sum that is added to them. */
const LARGEST_BIAS = 2 ** 30;

interface Levels {
  readonly scale: number;
  readonly zero: number;
}

export function levelsOf(range: Range): Levels {
  const { min, max } = withZero(range);
  const scale = Math.fround((max - min) / 255) || 1;
  return { scale, zero: Math.max(0, Math.min(255, Math.round(-min / scale))) };
}

/** Returns the model with int8 computation; `ranges` has the range of every value that planQuantization names. */
export function quantizeOnnx(
  model: OnnxModel,
  ranges: ReadonlyMap<string, Range>,
  { keep = new Set(), weightBits = 7, means }: QuantizeOptions = {},
): OnnxModel {
  const plan = planQuantization(model, keep);
  // Behind a layer that is kept, a value may not share its range any more, and has none of its own.
  const whole = planQuantization(model, new Set());
  const initializers = new Map(model.initializers.map((initializer) => [initializer.name, initializer]));
  const made: Initializer[] = [];
  const nodes: OnnxNode[] = [];
  const returned = new Set(model.outputs.map(({ name }) => name));
  const producers = new Map(model.nodes.flatMap((node) => node.outputs.map((name) => [name, node.name] as const)));
  const rangeOf = (name: string): Levels => {
    const root = plan.values.get(name)!;
    const range = ranges.get(root) ?? ranges.get(whole.values.get(root)!);
    invariant(range, `no range for ${name}`);
    return levelsOf(range);
  };
  const constant = (name: string, type: Initializer['type'], data: Initializer['data'], shape: number[]): string => {
    made.push({ name, type, shape, data });
    return name;
  };
  /** Adds the pair of nodes for a value, which its node gives as `source`. */
  const addPair = (name: string, source: string): void => {
    const { scale, zero } = rangeOf(name);
    const by = [
      constant(`${name}.scale`, 'float32', Float32Array.of(scale), []),
      constant(`${name}.zero`, 'uint8', Uint8Array.of(zero), []),
    ];
    const [q, dq] = [`${name}.quantized`, returned.has(name) ? name : `${name}.levels`];
    nodes.push({ op: 'QuantizeLinear', name: q, inputs: [source, ...by], outputs: [q], attrs: {} });
    nodes.push({ op: 'DequantizeLinear', name: `${name}.levels`, inputs: [q, ...by], outputs: [dq], attrs: {} });
  };
  const spread = new Set<string>();
  /** The levels of a value for a layer that stays in float32, as float32 with the same scale for each channel. ONNX Runtime
   *  quantises the weights of every layer whose input has a single scale, in one range for all channels. */
  const levelsByChannel = (name: string, channels: number): string => {
    const output = `${name}.float32`;
    if (spread.has(name)) return output;
    spread.add(name);
    const { scale, zero } = rangeOf(name);
    const inputs = [
      `${name}.quantized`,
      constant(`${output}.scale`, 'float32', new Float32Array(channels).fill(scale), [channels]),
      constant(`${output}.zero`, 'uint8', new Uint8Array(channels).fill(zero), [channels]),
    ];
    nodes.push({ op: 'DequantizeLinear', name: output, inputs, outputs: [output], attrs: { axis: { int: 1 } } });
    return output;
  };
  const renamed = (name: string): string => (plan.values.has(name) && returned.has(name) ? `${name}.float` : name);
  /** What a node reads: the levels of a value where it computes with int8, or where the value has levels anyway. */
  const read = (node: OnnxNode, name: string): string => {
    if (!plan.values.has(name)) return name;
    const isInt8 = plan.nodes.has(node.name) || plan.nodes.has(producers.get(name) ?? '');
    if (!isInt8) return renamed(name);
    return returned.has(name) ? name : `${name}.levels`;
  };
  const addParameter = (quantized: QuantizedTensor): string => {
    const { name, type, shape, data, scales, axis } = quantized;
    const zeros = type === 'int8' ? new Int8Array(scales.length) : new Int32Array(scales.length);
    const inputs = [
      constant(`${name}.${type}`, type, data, [...shape]),
      constant(`${name}.${type}.scale`, 'float32', scales, [scales.length]),
      constant(`${name}.${type}.zero`, type, zeros, [scales.length]),
    ];
    const output = `${name}.${type}.levels`;
    nodes.push({ op: 'DequantizeLinear', name: output, inputs, outputs: [output], attrs: { axis: { int: axis } } });
    return output;
  };

  for (const { name } of model.inputs) if (plan.values.has(name)) addPair(name, name);
  const done = new Map<string, string>();
  for (const node of model.nodes) {
    const inputs = node.inputs.map((name) => read(node, name));
    const [first = '', second = ''] = node.inputs;
    const weight = isWeighted(node) && !plan.nodes.has(node.name) ? initializers.get(second) : undefined;
    if (weight && plan.values.has(first) && inputs[0] !== renamed(first))
      inputs[0] = levelsByChannel(first, channelsRead(node, weight.shape));
    if (isWeighted(node) && plan.nodes.has(node.name)) {
      const { scale } = rangeOf(node.inputs[0]!);
      const quantized = quantizeParameters(node, initializers, scale, LARGEST[weightBits], means?.get(node.inputs[0]!));
      for (const [i, parameter] of quantized.entries()) {
        // The layers of a head share weights on all levels; each level has a bias of its own.
        const of = parameter.type === 'int32' ? node.name : parameter.scales.join();
        const key = `${parameter.name} ${of}`;
        const known = done.get(key) ?? addParameter({ ...parameter, name: unused(parameter.name, done) });
        done.set(key, known);
        inputs[i + 1] = known;
      }
    }
    nodes.push({ ...node, inputs, outputs: node.outputs.map(renamed) });
    for (const name of node.outputs) if (plan.values.has(name)) addPair(name, renamed(name));
  }
  const used = new Set(nodes.flatMap((node) => node.inputs));
  return { ...model, nodes, initializers: [...model.initializers, ...made].filter(({ name }) => used.has(name)) };
}

/** Number of channels of the value that a convolution or a Gemm reads, on its second axis. */
export function channelsRead({ op, attrs }: OnnxNode, weight: readonly number[]): number {
  if (op === 'Gemm') return weight[isTransposed(attrs) ? 1 : 0]!;
  const { group } = attrs;
  return weight[1]! * (group && 'int' in group ? group.int : 1);
}

const isTransposed = ({ transB }: OnnxNode['attrs']): boolean =>
  transB !== undefined && 'int' in transB && transB.int === 1;

/** The name, with a number where the parameter was quantised with other scales before. */
function unused(name: string, done: ReadonlyMap<string, string>): string {
  const before = [...done.keys()].filter((key) => key.startsWith(`${name} `)).length;
  return before === 0 ? name : `${name}.${before}`;
}

interface QuantizedTensor {
  readonly name: string;
  readonly type: 'int8' | 'int32';
  readonly shape: readonly number[];
  readonly data: Int8Array | Int32Array;
  /** One for each output channel. */
  readonly scales: Float32Array;
  readonly axis: number;
}

/** The weight of a node and its bias, if it has one. The bias has the scales of the products that it is added to. */
function quantizeParameters(
  node: OnnxNode,
  initializers: ReadonlyMap<string, Initializer>,
  inputScale: number,
  largest: number,
  means: Float32Array | undefined,
): QuantizedTensor[] {
  const weight = initializers.get(node.inputs[1]!)!;
  const bias = node.inputs[2] ? initializers.get(node.inputs[2]) : undefined;
  const { shape } = weight;
  const axis = node.op === 'Conv' || isTransposed(node.attrs) ? 0 : 1;
  const data = weight.data as Float32Array;
  const inner = sizeOf(shape.slice(axis + 1));
  const channels = shape[axis]!;
  const channelOf = (i: number): number => Math.floor(i / inner) % channels;
  const most = new Float64Array(channels);
  data.forEach((value, i) => {
    most[channelOf(i)] = Math.max(most[channelOf(i)]!, Math.abs(value));
  });
  const biases = bias ? (bias.data as Float32Array) : undefined;
  const scales = Float32Array.from(most, (value, c) =>
    Math.max(value / largest, Math.abs(biases?.[c] ?? 0) / (LARGEST_BIAS * inputScale), 1e-12),
  );
  const quantized = Int8Array.from(data, (value, i) => Math.round(value / scales[channelOf(i)]!));
  const tensors: QuantizedTensor[] = [{ name: weight.name, type: 'int8', shape, data: quantized, scales, axis }];
  if (bias && biases) {
    const products = scales.map((scale) => scale * inputScale);
    const shift = means ? shiftOf(tensors[0]!, data, means) : undefined;
    const sums = Int32Array.from(biases, (value, c) => Math.round((value + (shift?.[c] ?? 0)) / products[c]!));
    tensors.push({ name: bias.name, type: 'int32', shape: bias.shape, data: sums, scales: products, axis: 0 });
  }
  return tensors;
}

/** What rounded weights take from the mean of each output channel: Σ (weight − rounded weight) · mean of what it reads. */
function shiftOf(
  { shape, data: levels, scales, axis }: QuantizedTensor,
  data: Float32Array,
  means: Float32Array,
): Float64Array {
  const shift = new Float64Array(scales.length);
  const inputs = shape[1 - axis]!; // of each output channel
  const inner = sizeOf(shape.slice(axis + 1));
  const area = sizeOf(shape.slice(2));
  const outputsOfGroup = scales.length / (means.length / inputs);
  data.forEach((value, i) => {
    const output = Math.floor(i / inner) % scales.length;
    const input = axis === 0 ? Math.floor(i / area) % inputs : Math.floor(i / inner / scales.length);
    const mean = means[Math.floor(output / outputsOfGroup) * inputs + input]!;
    shift[output]! += (value - levels[i]! * scales[output]!) * mean;
  });
  return shift;
}
