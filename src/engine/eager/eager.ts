import type * as Tfjs from '@tensorflow/tfjs-core';
import { FinetuneError, invariant } from '../../errors.js';
import { isOp } from '../../graph/builder.js';
import { ancestors } from '../../graph/rewrite.js';
import type { Param, Params } from '../../graph/params.js';
import type { Node, Ops, Value } from '../../graph/spec.js';
import { kernels, type Run } from './kernels.js';
import { checkFeeds, checkParams, type Feed, type Feeds, type Results, type Session } from '../engine.js';
import { inputsOf, parametersOf, type Program, type Programs } from '../../graph/program.js';

type Kernel = (node: Node, run: Run) => readonly Tfjs.Tensor[];

/** One node of a program, and the values that no later node reads. */
interface Step {
  readonly node: Node;
  readonly kernel: Kernel;
  readonly spent: readonly Value[];
}

interface Plan {
  readonly inputs: readonly Ops['input'][];
  readonly steps: readonly Step[];
  readonly outputs: readonly (readonly [name: string, value: Value])[];
  readonly updates: readonly (readonly [parameter: string, value: Value])[];
}

function planProgram(program: Program): Plan {
  const { outputs, updates = [] } = program;
  const kept = new Set([...Object.values(outputs), ...updates]);
  const lastReader = new Map<Value, Node>();
  const nodes = ancestors([...kept]);
  for (const node of nodes) for (const value of [...node.outputs, ...node.inputs]) lastReader.set(value, node);
  const spent = new Map<Node, Value[]>(nodes.map((node) => [node, []]));
  for (const [value, node] of lastReader) if (!kept.has(value)) spent.get(node)!.push(value);
  return {
    inputs: inputsOf(program),
    steps: nodes.map((node) => ({ node, kernel: kernels[node.op] as Kernel, spent: spent.get(node)! })),
    outputs: Object.entries(outputs),
    updates: updates.map((value) => {
      invariant(isOp(value.node, 'assign'), 'an update is an assign node');
      return [value.node.attrs.name, value];
    }),
  };
}

/** Computes a plan's outputs and new parameter values. Call it in a tidy, so that an exception leaves no tensors
 *  behind. */
function execute(
  tf: typeof Tfjs,
  plan: Plan,
  { leaf, fed }: Pick<Run, 'leaf' | 'fed'>,
): { outputs: Tfjs.Tensor[]; updates: Tfjs.Tensor[] } {
  const tensors = new Map<Value, Tfjs.Tensor>();
  for (const { node, kernel, spent } of plan.steps) {
    const inputs = node.inputs.map((value) => tensors.get(value)!);
    const results = tf.tidy(() => [...kernel(node, { tf, inputs, leaf, fed })]);
    node.outputs.forEach((value, i) => tensors.set(value, results[i]!));
    for (const value of spent) {
      tensors.get(value)!.dispose();
      tensors.delete(value);
    }
  }
  // Cloned, because two names may refer to one value.
  const take = ([, value]: readonly [string, Value]): Tfjs.Tensor => tf.clone(tensors.get(value)!);
  return { outputs: plan.outputs.map(take), updates: plan.updates.map(take) };
}

/** Compiles programs for the portable engine, which computes node by node with the kernels of a tfjs backend. The
 *  session owns the tensors of parameters; those of a run are freed after their last reader. Updates are made after all
 *  nodes are computed, so that every node sees the values from before the run. Besides the errors of every session, run
 *  and read throw E_PARAM_UNSET for a parameter without a value. */
export function compileEager(
  programs: Programs,
  backend: { readonly name: string; readonly tf: object },
): Promise<Session> {
  const tf = backend.tf as typeof Tfjs;
  const device = backend.name;
  const parameters = parametersOf(programs);
  const plans = new Map(Object.entries(programs).map(([name, program]) => [name, planProgram(program)]));
  const stored = new Map<string, Tfjs.Tensor>();
  const constants = new Map<Node, Tfjs.Tensor>();

  /** Runs `compute` on the session's backend: other sessions may have changed tfjs' current one. It must not await, so
   *  that none can meanwhile. */
  const onDevice = <T extends Tfjs.TensorContainer>(compute: () => T): T => {
    if (tf.getBackend() !== device) void tf.setBackend(device);
    invariant(tf.getBackend() === device, `tfjs computes with "${tf.getBackend()}" and not with "${device}"`);
    return tf.tidy(compute);
  };
  const store = (name: string, tensor: Tfjs.Tensor): void => {
    stored.get(name)?.dispose();
    stored.set(name, tf.keep(tensor));
  };
  const parameter = (name: string): Tfjs.Tensor => {
    const tensor = stored.get(name);
    if (tensor) return tensor;
    const fix = 'write initial or loaded values first';
    throw new FinetuneError({ code: 'E_PARAM_UNSET', message: `parameter ${name} has no value`, fix });
  };
  const leafOf =
    (feeds: Feeds) =>
    (node: Node): Tfjs.Tensor => {
      if (isOp(node, 'param')) return parameter(node.attrs.name);
      if (isOp(node, 'constant')) return constant(node);
      invariant(isOp(node, 'input'), `${node.op} is not a leaf`);
      const { name, shape, dtype } = node.attrs;
      return tf.tensor(feeds[name]!, [...shape], dtype);
    };
  const fedIn =
    (feeds: Feeds) =>
    ({ node }: Value): Feed => {
      invariant(isOp(node, 'input'), `${node.op} is not fed`);
      return feeds[node.attrs.name]!;
    };
  const constant = (node: Node<'constant'> & Node): Tfjs.Tensor => {
    const { values, shape, dtype } = node.attrs;
    const tensor = constants.get(node) ?? tf.keep(tf.tensor([...values], [...shape], dtype));
    constants.set(node, tensor);
    return tensor;
  };
  onDevice(() => {
    for (const { steps } of plans.values()) for (const { node } of steps) if (isOp(node, 'constant')) constant(node);
  });

  return Promise.resolve({
    async run(name: string, feeds: Feeds): Promise<Results> {
      const plan = plans.get(name);
      invariant(plan, `no program is called ${name}`);
      checkFeeds(name, plan.inputs, feeds);
      const { outputs, updates } = onDevice(() => execute(tf, plan, { leaf: leafOf(feeds), fed: fedIn(feeds) }));
      plan.updates.forEach(([parameter], i) => store(parameter, updates[i]!));
      try {
        const values = await Promise.all(outputs.map(valuesOf));
        return Object.fromEntries(plan.outputs.map(([key], i) => [key, values[i]!]));
      } finally {
        outputs.forEach((tensor) => tensor.dispose());
      }
    },
    async read(names = [...parameters.keys()]): Promise<Params> {
      const tensors = names.map((name) => tf.clone(parameter(name))); // a run may replace the originals meanwhile
      try {
        const values = await Promise.all(tensors.map(valuesOf));
        return new Map(names.map((name, i): [string, Param] => [name, { shape: tensors[i]!.shape, data: values[i]! }]));
      } finally {
        tensors.forEach((tensor) => tensor.dispose());
      }
    },
    write(params: Params): Promise<void> {
      checkParams(parameters, params);
      onDevice(() => {
        // Copied, because some backends keep the given array itself.
        for (const [name, { shape, data }] of params) store(name, tf.tensor(data.slice(), [...shape], 'float32'));
      });
      return Promise.resolve();
    },
    dispose(): void {
      for (const tensor of [...stored.values(), ...constants.values()]) tensor.dispose();
      stored.clear();
      constants.clear();
    },
  });
}

/** Copies a tensor's values to a new array of floats. */
const valuesOf = async (tensor: Tfjs.Tensor): Promise<Float32Array> => new Float32Array(await tensor.data());
