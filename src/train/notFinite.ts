import type { Batch } from '../data/pipeline/loader.js';
import type { Sample } from '../data/sample.js';
import type { Backend } from '../engine/backend.js';
import { compile } from '../engine/compile.js';
import type { Results } from '../engine/engine.js';
import { FinetuneError } from '../errors.js';
import * as b from '../graph/builder.js';
import { isOp } from '../graph/builder.js';
import { gradients } from '../graph/grad.js';
import type { Params } from '../graph/params.js';
import { parametersOf } from '../graph/program.js';
import { ancestors } from '../graph/rewrite.js';
import type { Node, Value } from '../graph/spec.js';
import { paramAttrs } from '../graph/slots.js';
import type { Model } from '../tasks/model.js';
import type { Targets } from '../tasks/network.js';
import { imageFeed, targetFeeds } from '../tasks/feeds.js';
import type { FreezePlan } from './freeze.js';

/** A step whose loss or gradient is not finite. The layer where that begins can be found by repeating the step. */
export class StepNotFinite extends FinetuneError {}

/** Checks what a step returned. Throws E_LOSS_NOT_FINITE with the files of its images. */
export function checkFinite(results: Results, step: number, samples: readonly Sample[]): void {
  const bad = ['loss', 'gradientNorm'].find((name) => !Number.isFinite(results[name]![0]));
  if (bad === undefined) return;
  const files = samples.map(({ file }) => file).join(', ');
  throw new StepNotFinite({
    code: 'E_LOSS_NOT_FINITE',
    message: `the ${bad} is ${results[bad]![0]!} at step ${step}, on ${files}`,
    fix: 'lower train.lr.value, or look at these images; the last checkpoint was saved before this step',
  });
}

/** Checks the values that steps have left: a step whose loss is finite can still make weights overflow. Throws
 *  E_LOSS_NOT_FINITE. */
export function checkValues(values: Params, step: number): void {
  const broken = [...values].filter(([, { data }]) => !data.every(Number.isFinite)).map(([name]) => name);
  const [first, ...others] = broken;
  if (first === undefined) return;
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  throw new FinetuneError({
    code: 'E_LOSS_NOT_FINITE',
    message: `after step ${step} the values of "${first}"${more} are not finite`,
    fix: 'lower train.lr.value, or set train.clipNorm; these weights were not saved',
  });
}

/** Says where the numbers of a step stop being finite. Runs the step's forward and backward pass again with a probe at
 *  every node, from the values `params` that the step began with. */
export async function explainNotFinite(
  model: Model,
  params: Params,
  { size, samples, encoded }: Batch<Targets>,
  backend: Backend,
  { batch, plan }: { readonly batch: number; readonly plan: FreezePlan },
): Promise<string> {
  const broken = [...params].find(([, { data }]) => !data.every(Number.isFinite));
  if (broken) return `the parameter "${broken[0]}" was not finite before the step`;
  const { total } = model.task.build({ batch, size, trainBatchNorm: plan.trainBatchNorm }).loss();
  const forward = ancestors([total]);
  const trained = forward.flatMap((node) => {
    const isTrained =
      isOp(node, 'param') && !plan.frozen(node.attrs.name) && /weight|bias|scale|shift/.test(node.attrs.role);
    return isTrained ? [node.outputs[0]!] : [];
  });
  const backward = gradients(total, trained);
  const places = [
    ...namedNodes(forward).map(({ node, layer }) => ({ value: node.outputs[0]!, name: `${node.op} at "${layer}"` })),
    // From the loss back to the input: the order in which gradients are computed.
    ...trained
      .map((param, i) => ({ value: backward[i]!, name: `the gradient of "${paramAttrs(param).name}"` }))
      .reverse(),
  ];
  const programs = {
    probe: { outputs: Object.fromEntries(places.map(({ value }, i) => [`probe.${i}`, magnitudes(value, batch)])) },
  };
  const wanted = parametersOf(programs);
  const session = await compile(programs, backend);
  try {
    await session.write(new Map([...params].filter(([name]) => wanted.has(name))));
    const feeds = { image: imageFeed(samples, batch, size), ...targetFeeds(encoded, batch, model.task, size) };
    const measured = await session.run('probe', feeds);
    const first = places.findIndex((_, i) => !measured[`probe.${i}`]!.every(Number.isFinite));
    if (first < 0) return 'repeating the step gave finite numbers: the arithmetic of this machine is not reliable';
    const rows = measured[`probe.${first}`]!;
    const culprits = samples.filter((_, i) => rows.length === batch && !Number.isFinite(rows[i]!));
    const of = culprits.length > 0 ? `, of ${culprits.map(({ file }) => file).join(', ')}` : '';
    return `the first value that is not finite is ${places[first]!.name}${of}`;
  } finally {
    session.dispose();
  }
}

/** The nodes that compute floats, each with its layer: the path of its own parameter, or of the last one before it. */
function namedNodes(nodes: readonly Node[]): { readonly node: Node; readonly layer: string }[] {
  const layers = new Map<Node, string>();
  return nodes.flatMap((node) => {
    const own = node.inputs.find((value) => isOp(value.node, 'param'));
    const before = node.inputs.map((value) => layers.get(value.node)).findLast(Boolean);
    const layer = own ? paramAttrs(own).name.replace(/\.[^.]*$/, '') : (before ?? 'the input');
    layers.set(node, layer);
    const computes = !isOp(node, 'param') && !isOp(node, 'input') && !isOp(node, 'constant');
    return computes && node.outputs[0]?.dtype === 'float32' ? [{ node, layer }] : [];
  });
}

/** Sum of squares: [batch], a sum for each image, where the value has a row for each, else []. It is not finite where
 *  an element is not (or where the square of one exceeds float32, which the next layer would reach). */
function magnitudes(value: Value, batch: number): Value {
  const { shape } = value;
  const square = b.square(value);
  if (shape.length < 2 || shape[0] !== batch) return b.sum(square);
  return b.sum(square, shape.map((_, axis) => axis).slice(1));
}
