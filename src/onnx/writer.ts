import type { Shape } from '../graph/spec.js';
import type { Attrs, Initializer, OnnxNode } from './model.js';

/** Collects the nodes and constants of a model and gives them names. */
export interface Writer {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  /** Reserves a name that nothing in the model has yet: the wanted one, or that with a number. */
  claim(wanted: string): string;
  /** Names the nodes that are added meanwhile after the layer. */
  within<T>(layer: string, write: () => T): T;
  /** Adds a node with one output and returns the output's name. */
  add(op: string, inputs: readonly string[], attrs?: Attrs): string;
  addMany(op: string, inputs: readonly string[], attrs: Attrs, count: number): readonly string[];
  /** Adds a constant. */
  initialize(wanted: string, tensor: Omit<Initializer, 'name'>): string;
  /** Name of an int64 vector; equal ones share a constant. */
  ints(values: readonly number[]): string;
  /** Name of a float32 constant, by default a scalar; equal ones share a constant. */
  floats(values: readonly number[], shape?: Shape): string;
}

export function createWriter(): Writer {
  const nodes: OnnxNode[] = [];
  const initializers: Initializer[] = [];
  const names = new Set<string>();
  const shared = new Map<string, string>();
  let current = '';

  const claim = (wanted: string): string => {
    let name = wanted;
    for (let i = 1; names.has(name); i++) name = `${wanted}.${i}`;
    names.add(name);
    return name;
  };
  const addMany: Writer['addMany'] = (op, inputs, attrs, count) => {
    const name = claim(`${current}/${op}`);
    const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? name : claim(`${name}:${i}`)));
    nodes.push({ op, name, inputs, outputs, attrs });
    return outputs;
  };
  const initialize: Writer['initialize'] = (wanted, tensor) => {
    const name = claim(wanted);
    initializers.push({ name, ...tensor });
    return name;
  };
  const share = (key: string, tensor: Omit<Initializer, 'name'>): string => {
    const name = shared.get(key) ?? initialize(`shared_${shared.size}`, tensor);
    shared.set(key, name);
    return name;
  };
  return {
    nodes,
    initializers,
    claim,
    within(layer, write) {
      const outer = current;
      current = layer;
      try {
        return write();
      } finally {
        current = outer;
      }
    },
    add: (op, inputs, attrs = {}) => addMany(op, inputs, attrs, 1)[0]!,
    addMany,
    initialize,
    ints: (values) =>
      share(`ints ${values.join()}`, {
        type: 'int64',
        shape: [values.length],
        data: BigInt64Array.from(values, BigInt),
      }),
    floats: (values, shape = []) =>
      share(`floats ${shape.join()} ${values.join()}`, { type: 'float32', shape, data: Float32Array.from(values) }),
  };
}
