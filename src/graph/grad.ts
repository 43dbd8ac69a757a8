import { FinetuneError, invariant } from '../errors.js';
import * as b from './builder.js';
import { sizeOf } from './shapes.js';
import type { ActivationGrad, Binary, Graph, Node, Op, Ops, Value } from './spec.js';

type Grads = readonly (Value | undefined)[];
/** Takes the node, the gradients of its outputs (undefined where none arrived), and which inputs need theirs; returns
 *  the inputs'. */
type Rule<K extends Op> = (node: Node<K>, dys: Grads, wanted: readonly boolean[]) => Grads;

const add = (graph: Graph, op: Op, inputs: readonly Value[], attrs: object): readonly Value[] =>
  b.addNode(graph, op, inputs, attrs as never);
const none = (): Grads => [];

/** Makes the rule of a one-input op from a function of dy, x and y. */
const pointwise =
  (rule: (dy: Value, x: Value, y: Value) => Value) =>
  (node: Node, [dy]: Grads): Grads => [rule(dy!, node.inputs[0]!, node.outputs[0]!)];

/** Makes the rule of a broadcasting two-input op from its two gradients, which are then summed over the broadcast axes. */
const broadcasting =
  (
    left: (dy: Value, x: Value, y: Value, out: Value) => Value,
    right: (dy: Value, x: Value, y: Value, out: Value) => Value,
  ) =>
  (node: Node<Binary>, [dy]: Grads, wanted: readonly boolean[]): Grads => {
    const [x, y] = node.inputs as [Value, Value];
    const out = node.outputs[0]!;
    return [
      wanted[0] ? b.sumTo(left(dy!, x, y, out), x.shape) : undefined,
      wanted[1] ? b.sumTo(right(dy!, x, y, out), y.shape) : undefined,
    ];
  };

const activation = (op: ActivationGrad, saved: readonly ('x' | 'y')[]): ((node: Node, dys: Grads) => Grads) =>
  pointwise((dy, x, y) => add(dy.node.graph, op, [dy, ...saved.map((name) => (name === 'x' ? x : y))], {})[0]!);

/** Makes the rule of a convolution, dense or depthwise. */
const convolution =
  (inputGrad: 'convInputGrad' | 'depthwiseInputGrad', filterGrad: 'convFilterGrad' | 'depthwiseFilterGrad') =>
  (node: Node<'conv'> | Node<'depthwise'>, [dy]: Grads, wanted: readonly boolean[]): Grads => {
    const [x, filter] = node.inputs as [Value, Value];
    return [
      wanted[0] ? add(node.graph, inputGrad, [filter, dy!], { ...node.attrs, inputShape: x.shape })[0] : undefined,
      wanted[1] ? add(node.graph, filterGrad, [x, dy!], { ...node.attrs, filterShape: filter.shape })[0] : undefined,
    ];
  };

/** 1 where the condition holds, else 0; no gradient passes through it. */
const mask = (condition: Value): Value => b.cast(condition, 'float32');
const keptShape = (x: Value, axes: readonly number[]): number[] => x.shape.map((n, i) => (axes.includes(i) ? 1 : n));

const rules = {
  input: none, constant: none, param: none, stopGradient: none, randomUniform: none, assign: none, addToSums: none,
  greater: none, greaterEqual: none, equal: none, oneHot: none, topK: none, gather: none, nonMaxSuppression: none, sign: none,
  conv: convolution('convInputGrad', 'convFilterGrad'),
  depthwise: convolution('depthwiseInputGrad', 'depthwiseFilterGrad'),
  matMul: (node, [dy], wanted) => {
    const [x, y] = node.inputs as [Value, Value];
    const { transposeA, transposeB } = node.attrs;
    const left = (): Value => transposeA ? b.matMul(y, dy!, { transposeA: transposeB, transposeB: true }) : b.matMul(dy!, y, { transposeB: !transposeB });
    const right = (): Value => transposeB ? b.matMul(dy!, x, { transposeA: true, transposeB: transposeA }) : b.matMul(x, dy!, { transposeA: !transposeA });
    return [wanted[0] ? left() : undefined, wanted[1] ? right() : undefined];
  },
  biasAdd: (_, [dy], wanted) => [dy, wanted[1] ? b.sum(dy!, dy!.shape.slice(1).map((_, i) => i)) : undefined],
  batchNorm: (node, [dy]) => {
    const [x, scale, , mean, variance] = node.inputs as Value[];
    const [, , , first, second, third] = node.outputs;
    const saved = node.attrs.training ? [first!, second!, third!] : [mean!, variance!, third!];
    return add(node.graph, 'batchNormGrad', [dy!, x!, scale!, ...saved], node.attrs);
  },
  // [N,1,1,C]: it is broadcast when it is added to another gradient of x, or when it is read.
  globalAveragePool: pointwise((dy, x) => b.mul(dy, 1 / (x.shape[1]! * x.shape[2]!))),
  maxPool: (node, [dy]) => add(node.graph, 'maxPoolGrad', [dy!, node.inputs[0]!, node.outputs[0]!], node.attrs),
  averagePool: (node, [dy]) => add(node.graph, 'averagePoolGrad', [dy!], { ...node.attrs, inputShape: node.inputs[0]!.shape }),
  cropAndResize: (node, [dy]) => {
    const [images, ...windows] = node.inputs as [Value, Value, Value];
    return add(node.graph, 'cropAndResizeGrad', [dy!, ...windows], { inputShape: images.shape });
  },
  resize: (node, [dy]) => add(node.graph, 'resizeGrad', [dy!], { method: node.attrs.method, inputShape: node.inputs[0]!.shape }),
  neg: pointwise((dy) => b.neg(dy)),
  abs: pointwise((dy, x) => b.mul(dy, b.sign(x))),
  square: pointwise((dy, x) => b.mul(dy, b.mul(x, 2))),
  sqrt: pointwise((dy, _, y) => b.div(b.mul(dy, 0.5), y)),
  rsqrt: pointwise((dy, x, y) => b.div(b.mul(b.mul(dy, -0.5), y), x)),
  exp: pointwise((dy, _, y) => b.mul(dy, y)),
  log: pointwise((dy, x) => b.div(dy, x)),
  softplus: pointwise((dy, x) => b.mul(dy, b.sigmoid(x))),
  sigmoid: activation('sigmoidGrad', ['y']),
  relu: activation('reluGrad', ['y']),
  relu6: activation('relu6Grad', ['y']),
  swish: activation('swishGrad', ['x', 'y']),
  hardSwish: activation('hardSwishGrad', ['x']),
  add: broadcasting((dy) => dy, (dy) => dy),
  sub: broadcasting((dy) => dy, (dy) => b.neg(dy)),
  mul: broadcasting((dy, _, y) => b.mul(dy, y), (dy, x) => b.mul(dy, x)),
  div: broadcasting((dy, _, y) => b.div(dy, y), (dy, _, y, out) => b.neg(b.mul(dy, b.div(out, y)))),
  maximum: broadcasting((dy, x, y) => b.mul(dy, mask(b.greaterEqual(x, y))), (dy, x, y) => b.mul(dy, mask(b.greater(y, x)))),
  minimum: broadcasting((dy, x, y) => b.mul(dy, mask(b.greaterEqual(y, x))), (dy, x, y) => b.mul(dy, mask(b.greater(x, y)))),
  power: (node, [dy]) => {
    const { exponent } = node.attrs;
    return [b.mul(dy!, b.mul(b.power(node.inputs[0]!, exponent - 1), exponent))];
  },
  select: (node, [dy]) => {
    const zero = b.broadcastTo(b.scalar(node.graph, 0), dy!.shape);
    return [undefined, b.select(node.inputs[0]!, dy!, zero), b.select(node.inputs[0]!, zero, dy!)];
  },
  cast: (node, [dy]) => [node.inputs[0]!.dtype === 'float32' ? dy : undefined],
  reshape: pointwise((dy, x) => b.reshape(dy, x.shape)),
  transpose: (node, [dy]) => {
    const { permutation } = node.attrs;
    return [b.transpose(dy!, permutation.map((_, axis) => permutation.indexOf(axis)))];
  },
  concat: (node, [dy], wanted) => {
    const { axis } = node.attrs;
    let start = 0;
    return node.inputs.map((part, i) => {
      const begin = dy!.shape.map((_, j) => (j === axis ? start : 0));
      start += part.shape[axis]!;
      return wanted[i] ? b.slice(dy!, begin, part.shape) : undefined;
    });
  },
  slice: (node, [dy]) => {
    const { begin, size } = node.attrs;
    return [b.pad(dy!, node.inputs[0]!.shape.map((n, i) => [begin[i]!, n - begin[i]! - size[i]!] as const))];
  },
  pad: (node, [dy]) => [b.slice(dy!, node.attrs.paddings.map(([before]) => before), node.inputs[0]!.shape)],
  broadcastTo: pointwise((dy, x) => b.sumTo(dy, x.shape)),
  sum: (node, [dy]) => {
    const x = node.inputs[0]!;
    return [b.broadcastTo(b.reshape(dy!, keptShape(x, node.attrs.axes)), x.shape)];
  },
  max: (node, [dy]) => {
    const x = node.inputs[0]!;
    const kept = keptShape(x, node.attrs.axes);
    const peaks = mask(b.equal(x, b.reshape(node.outputs[0]!, kept)));
    const share = b.div(b.reshape(dy!, kept), b.sum(peaks, node.attrs.axes, true)); // equal maxima share the gradient
    return [b.mul(peaks, share)];
  },
  // The gradient that a worker follows is the mean over all workers of their own losses' gradients, so each of these is
  // the mean of what arrives at the workers.
  workersMean: (node, dys) => {
    const arrived = dys.flatMap((dy, i) => (dy ? [[i, dy] as const] : []));
    const means = b.workersMean(arrived.map(([, dy]) => dy));
    return node.inputs.map((_, i) => means[arrived.findIndex(([place]) => place === i)]);
  },
  softmaxCrossEntropy: (node, [dy]) => [b.mul(b.reshape(dy!, [sizeOf(dy!.shape), 1]), node.outputs[1]!), undefined],
} satisfies { [K in Exclude<Op, SecondOrder>]: Rule<K> }; // prettier-ignore

/** The ops of backward passes have no rule: nothing here needs second derivatives. */
type SecondOrder =
  | ActivationGrad
  | 'convInputGrad' | 'convFilterGrad' | 'depthwiseInputGrad' | 'depthwiseFilterGrad' | 'batchNormGrad'
  | 'maxPoolGrad' | 'averagePoolGrad' | 'resizeGrad' | 'cropAndResizeGrad'; // prettier-ignore

/** Marks, by node id, every node whose value depends on one of `roots`. */
function dependents(graph: Graph, roots: readonly Value[]): boolean[] {
  const depends = new Array<boolean>(graph.nodes.length).fill(false);
  for (const root of roots) depends[root.node.id] = true;
  for (const node of graph.nodes) {
    if (node.op !== 'stopGradient' && node.inputs.some((value) => depends[value.node.id])) depends[node.id] = true;
  }
  return depends;
}

/** Adds the gradients of a scalar to its graph by reverse-mode differentiation, one rule per op. It follows only paths
 *  that lead to `wrt`, so frozen stages cost nothing. Returns a value for each entry of `wrt`, of the same shape.
 *  Throws E_GRAD_MISSING where the loss does not depend on one. */
export function gradients(loss: Value, wrt: readonly Value[]): readonly Value[] {
  invariant(sizeOf(loss.shape) === 1, 'only a scalar has gradients');
  const { graph } = loss.node;
  const depends = dependents(graph, wrt);
  const arrived = new Map<Value, Value>([[loss, b.constant(graph, [1], loss.shape)]]);
  const leaves = new Set(wrt);
  const gradientOf = (value: Value): Value | undefined => {
    const found = arrived.get(value);
    return found && b.broadcastTo(found, value.shape);
  };
  for (const node of graph.nodes.slice(0, loss.node.id + 1).reverse()) {
    const dys = node.outputs.map(gradientOf);
    if (!depends[node.id] || dys.every((dy) => dy === undefined)) continue;
    const wanted = node.inputs.map((value) => depends[value.node.id]!);
    if (!wanted.some(Boolean)) continue;
    for (const output of node.outputs) if (!leaves.has(output)) arrived.delete(output);
    const rule = rules[node.op as keyof typeof rules] as Rule<Op> | undefined;
    invariant(rule, `no second derivative of ${node.op}`);
    const dxs = rule(node, dys, wanted);
    for (const [i, x] of node.inputs.entries()) {
      const dx = dxs[i];
      if (!wanted[i] || !dx) continue;
      const sofar = arrived.get(x);
      arrived.set(x, sofar ? b.add(sofar, dx) : dx);
    }
  }
  return wrt.map((value) => {
    const gradient = gradientOf(value);
    if (gradient) return gradient;
    const name = (value.node.attrs as Partial<Ops['param']>).name ?? value.node.op;
    throw new FinetuneError({
      code: 'E_GRAD_MISSING',
      message: `the loss does not depend on ${name}`,
      fix: 'freeze it, or make the loss depend on it',
    });
  });
}
