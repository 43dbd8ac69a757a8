import { invariant } from '../errors.js';
import { inferTypes, sameShape } from './shapes.js';
import type {
  Binary,
  Comparison,
  Convolution,
  DType,
  Graph,
  Interpolation,
  Node,
  Op,
  Ops,
  ParamAttrs,
  Shape,
  Unary,
  Value,
  Window,
} from './spec.js';

export function createGraph(): Graph {
  return { nodes: [] };
}

/** Adds a node and infers the types of its outputs. Throws E_GRAPH_SHAPE. */
export function addNode<K extends Op>(graph: Graph, op: K, inputs: readonly Value[], attrs: Ops[K]): readonly Value[] {
  invariant(
    inputs.every((value) => value.node.graph === graph),
    `${op} mixes two graphs`,
  );
  const outputs: Value[] = [];
  const node: Node<K> = { graph, id: graph.nodes.length, op, inputs, attrs, outputs };
  for (const [index, type] of inferTypes(op, inputs, attrs).entries()) {
    outputs.push({ node: node, index, ...type });
  }
  graph.nodes.push(node);
  return outputs;
}

export const isOp = <K extends Op>(node: Node, op: K): node is Node<K> & Node => node.op === op;

const apply = <K extends Op>(op: K, inputs: readonly Value[], attrs: Ops[K]): Value =>
  addNode(inputs[0]!.node.graph, op, inputs, attrs)[0]!;

// Leaves
export const input = (graph: Graph, name: string, shape: Shape, dtype: DType = 'float32'): Value =>
  addNode(graph, 'input', [], { name, shape, dtype })[0]!;
/** Adds a parameter, or returns the one that has this name already. */
export function param(graph: Graph, attrs: ParamAttrs & { readonly shape: Shape }): Value {
  const known = graph.nodes.find((node) => isOp(node, 'param') && node.attrs.name === attrs.name)?.outputs[0];
  invariant(!known || sameShape(known.shape, attrs.shape), `two shapes for ${attrs.name}`);
  return known ?? addNode(graph, 'param', [], attrs)[0]!;
}
export const constant = (graph: Graph, values: readonly number[], shape: Shape, dtype: DType = 'float32'): Value =>
  addNode(graph, 'constant', [], { values, shape, dtype })[0]!;
export const scalar = (graph: Graph, value: number): Value => constant(graph, [value], []);

// Arithmetic. A number is short for a scalar constant.
const binary =
  (op: Binary) =>
  (a: Value, b: Value | number): Value =>
    apply(op, [a, typeof b === 'number' ? constant(a.node.graph, [b], [], a.dtype) : b], {});
const comparison =
  (op: Comparison) =>
  (a: Value, b: Value | number): Value =>
    apply(op, [a, typeof b === 'number' ? constant(a.node.graph, [b], [], a.dtype) : b], {});
const unary =
  (op: Unary | 'stopGradient' | 'globalAveragePool') =>
  (x: Value): Value =>
    apply(op, [x], {});

export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const maximum = binary('maximum');
export const minimum = binary('minimum');
export const greater = comparison('greater');
export const greaterEqual = comparison('greaterEqual');
export const equal = comparison('equal');
export const neg = unary('neg');
export const abs = unary('abs');
export const sign = unary('sign');
export const square = unary('square');
export const sqrt = unary('sqrt');
export const rsqrt = unary('rsqrt');
export const exp = unary('exp');
export const log = unary('log');
export const sigmoid = unary('sigmoid');
export const softplus = unary('softplus');
export const relu = unary('relu');
export const relu6 = unary('relu6');
export const swish = unary('swish');
export const hardSwish = unary('hardSwish');
export const stopGradient = unary('stopGradient');
export const globalAveragePool = unary('globalAveragePool');
export const power = (x: Value, exponent: number): Value => {
  if (exponent === 0) return broadcastTo(scalar(x.node.graph, 1), x.shape);
  if (exponent === 1) return x;
  return exponent === 2 ? square(x) : apply('power', [x], { exponent });
};

// Shapes and selection
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply('reshape', [x], { shape });
export const transpose = (x: Value, permutation: readonly number[]): Value => apply('transpose', [x], { permutation });
export const concat = (parts: readonly Value[], axis: number): Value =>
  parts.length === 1 ? parts[0]! : apply('concat', parts, { axis });
export const slice = (x: Value, begin: readonly number[], size: Shape): Value => apply('slice', [x], { begin, size });
export const pad = (x: Value, paddings: Ops['pad']['paddings']): Value => apply('pad', [x], { paddings });
export const broadcastTo = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply('broadcastTo', [x], { shape });
export const select = (condition: Value, a: Value, b: Value): Value => apply('select', [condition, a, b], {});
export const cast = (x: Value, dtype: DType): Value => (x.dtype === dtype ? x : apply('cast', [x], { dtype }));
export const oneHot = (x: Value, depth: number): Value => apply('oneHot', [x], { depth });
export const gather = (x: Value, indices: Value): Value => apply('gather', [x, indices], {});
/** Returns rows [N,limit] and their number [N]. */
export const nonMaxSuppression = (boxes: Value, scores: Value, attrs: Ops['nonMaxSuppression']): readonly Value[] =>
  addNode(boxes.node.graph, 'nonMaxSuppression', [boxes, scores], attrs);
export const topK = (x: Value, k: number): readonly Value[] => addNode(x.node.graph, 'topK', [x], { k });

/** Draws uniform numbers in [0, 1) from the fed seed, int32 [2]; different streams of one seed are independent. */
export const randomUniform = (seed: Value, shape: Shape, stream: number): Value =>
  apply('randomUniform', [seed], { shape, stream });

const allAxes = (x: Value): number[] => x.shape.map((_, i) => i);
export const sum = (x: Value, axes: readonly number[] = allAxes(x), keepDims = false): Value =>
  axes.length === 0 ? x : apply('sum', [x], { axes, keepDims });
export const max = (x: Value, axes: readonly number[] = allAxes(x), keepDims = false): Value =>
  apply('max', [x], { axes, keepDims });
/** Sums x over the axes that broadcasting added or stretched, so that it gets the given shape. */
export function sumTo(x: Value, shape: Shape): Value {
  const offset = x.shape.length - shape.length;
  const axes = allAxes(x).filter((i) => i < offset || (shape[i - offset] === 1 && x.shape[i] !== 1));
  return reshape(sum(x, axes), shape);
}

// Layers
export const conv = (x: Value, filter: Value, window: Convolution): Value => apply('conv', [x, filter], window);
export const depthwise = (x: Value, filter: Value, window: Window): Value => apply('depthwise', [x, filter], window);
export const matMul = (a: Value, b: Value, { transposeA = false, transposeB = false } = {}): Value =>
  apply('matMul', [a, b], { transposeA, transposeB });
export const biasAdd = (x: Value, bias: Value): Value => apply('biasAdd', [x, bias], {});
export const maxPool = (x: Value, pool: Ops['maxPool']): Value => apply('maxPool', [x], pool);
export const averagePool = (x: Value, pool: Ops['averagePool']): Value => apply('averagePool', [x], pool);
/** size: height and width, in pixels. */
export const resize = (x: Value, size: readonly [number, number], method: Interpolation): Value =>
  x.shape[1] === size[0] && x.shape[2] === size[1] ? x : apply('resize', [x], { method, size });
/** images, first and last samples [R,4], image indices [R] → [R,...size,C]. */
export const cropAndResize = (
  images: Value,
  windows: Value,
  imageIndex: Value,
  size: readonly [number, number],
): Value => apply('cropAndResize', [images, windows, imageIndex], { size });
/** inputs: x, scale, shift, running mean, running variance → y, batch mean, unbiased batch variance, saved ×3. */
export const batchNorm = (
  inputs: readonly [Value, Value, Value, Value, Value],
  attrs: Ops['batchNorm'],
): readonly Value[] => addNode(inputs[0].node.graph, 'batchNorm', inputs, attrs);
/** Returns the loss per row, [N]. */
export const softmaxCrossEntropy = (logits: Value, classes: Value): Value =>
  apply('softmaxCrossEntropy', [logits, classes], {});

/** The means of these values over all workers, in one exchange. With `adds`, those of the sums that `addToSums` keeps under
 *  this name, and the values. */
export const workersMean = (values: readonly Value[], adds: string | null = null): readonly Value[] =>
  values.length === 0 ? [] : addNode(values[0]!.node.graph, 'workersMean', values, { adds });
/** Adds the update that adds these values to the sums which this worker keeps under a name. */
export const addToSums = (name: string, values: readonly Value[]): Value => apply('addToSums', values, { name });

/** Adds the update that stores `value` in the parameter called `name`. */
export const assign = (name: string, value: Value): Value => apply('assign', [value], { name });
