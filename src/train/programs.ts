import type { Program } from '../engine/engine.js';
import * as b from '../graph/builder.js';
import { isOp } from '../graph/builder.js';
import { fold, type Folded } from '../graph/fold.js';
import { dependents } from '../graph/grad.js';
import { ancestors, rewrite, splitAt } from '../graph/rewrite.js';
import { paramAttrs, slotName } from '../graph/slots.js';
import type { Role, Value } from '../graph/spec.js';
import { assignAll, batchNormUpdates, updates, type UpdateOptions } from '../graph/update.js';
import type { Model } from '../model.js';
import type { FreezePlan } from './freeze.js';

export interface TrainPrograms {
  readonly train: Program;
  /** Instead of `train` for all but the last of the batches of one step, where it takes several. */
  readonly gather?: Program;
  readonly evaluate: Program;
  /** Image → features, where the frozen stages can be run on their own: their results feed `train` in place of the image. */
  readonly prefix?: Program;
  /** Names of what the optimizer moves. */
  readonly trained: readonly string[];
  /** Values of the folded parameters, from the model's. */
  readonly derive: Folded['derive'];
}

export interface ProgramOptions {
  readonly batch: number;
  readonly evaluateBatch: number;
  /** Height and width of the training input, where not the model's. */
  readonly size?: readonly [number, number];
  readonly plan: FreezePlan;
  readonly update: Omit<UpdateOptions, 'lr'>;
  /** Keep running means of what is trained and of the statistics, and evaluate those. Adds the input `emaShare`. */
  readonly ema: boolean;
  /** Cut the training graph behind the frozen stages. */
  readonly split: boolean;
}

const trainedRoles: readonly Role[] = ['weight', 'bias', 'scale', 'shift'];

function record(names: readonly string[], values: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}

/** Outputs, total loss and its parts, with the frozen BatchNorms folded away. */
function buildFolded(
  model: Model,
  batch: number,
  plan: FreezePlan,
  { size, training }: { readonly size: readonly [number, number]; readonly training: boolean },
): { values: Record<string, Value>; folded: Folded } {
  const trainBatchNorm = training ? plan.trainBatchNorm : () => false;
  const { outputs } = model.task.build({ batch, size, trainBatchNorm, training });
  const { total, parts } = model.task.loss(outputs, { training });
  const wanted = training ? { loss: total, ...parts } : { ...outputs, loss: total };
  const folded = fold(Object.values(wanted), plan.frozen);
  return { values: record(Object.keys(wanted), folded.roots), folded };
}

/** Name of the running mean of a parameter. */
export const averageName = (name: string): string => slotName('ema', name);

/** Running means of the values that parameters are about to take: mean ← mean + share·(value − mean). Their start is the parameters' own values. */
function averages(next: ReadonlyMap<string, Value>, model: Model): Value[] {
  const [first] = next.values();
  if (!first) return [];
  const { graph } = first.node;
  const share = b.input(graph, 'emaShare', []);
  return [...next].map(([name, value]) => {
    const attrs = model.parameters.get(name)!;
    const mean = b.param(graph, { ...attrs, name: averageName(name), role: 'slot' });
    return b.assign(averageName(name), b.add(mean, b.mul(b.sub(value, mean), share)));
  });
}

/** The values over a new graph that reads the running means of the given parameters. */
const ofAverages = (roots: readonly Value[], names: ReadonlyMap<string, Value>): readonly Value[] =>
  rewrite(roots, (node, _map, graph) => {
    if (!isOp(node, 'param') || !names.has(node.attrs.name)) return undefined;
    return [b.param(graph, { ...node.attrs, name: averageName(node.attrs.name), role: 'slot' })];
  });

/** One training step and one evaluation as programs of one session. */
export function buildPrograms(
  model: Model,
  { batch, evaluateBatch, size = model.size, plan, update, ema, split }: ProgramOptions,
): TrainPrograms {
  const { values, folded } = buildFolded(model, batch, plan, { size, training: true });
  const evaluateSize = model.task.evaluateSize ?? size;
  const evaluation = buildFolded(model, evaluateBatch, plan, { size: evaluateSize, training: false });
  const isTrained = (value: Value): boolean => {
    const { name, role } = paramAttrs(value);
    return trainedRoles.includes(role) && model.parameters.has(name) && !plan.frozen(name);
  };
  const trainedIn = (roots: readonly Value[]): Value[] =>
    ancestors(roots).flatMap((node) => (isOp(node, 'param') && isTrained(node.outputs[0]!) ? [node.outputs[0]!] : []));

  let outputs = values;
  let prefix: Program | undefined;
  if (split) {
    const { graph } = values.loss!.node;
    const image = graph.nodes.find((node) => isOp(node, 'input') && node.attrs.name === 'image')!.outputs[0]!;
    const fromImage = dependents(graph, [image]);
    const drawn = graph.nodes.filter((node) => isOp(node, 'randomUniform')).flatMap((node) => node.outputs);
    const changing = dependents(graph, [...trainedIn(Object.values(values)), ...drawn]);
    const cut = splitAt(Object.values(values), (node) => fromImage[node.id]! && !changing[node.id]!);
    prefix = {
      outputs: record(
        cut.frontier.map((_, i) => `feature.${i}`),
        cut.frontier,
      ),
    };
    outputs = record(Object.keys(values), cut.roots);
  }
  const loss = outputs.loss!;
  const trained = trainedIn([loss]);
  const lr = b.input(loss.node.graph, 'lr', []);
  const { step, gather, gradientNorm, next } = updates(loss, trained, { ...update, lr });
  const statistics = batchNormUpdates(loss.node.graph);
  const moved = new Map([...next, ...statistics]);
  const trainOutputs = { ...outputs, gradientNorm };
  const evaluated = Object.values(evaluation.values);
  return {
    train: {
      outputs: trainOutputs,
      updates: [...step, ...assignAll(statistics), ...(ema ? averages(moved, model) : [])],
    },
    ...(update.accumulate > 1 && { gather: { outputs: trainOutputs, updates: [...gather, ...assignAll(statistics)] } }),
    evaluate: {
      outputs: record(Object.keys(evaluation.values), ema ? ofAverages(evaluated, moved) : evaluated),
    },
    ...(prefix && { prefix }),
    trained: trained.map((value) => paramAttrs(value).name),
    derive: (params) => new Map([...folded.derive(params), ...evaluation.folded.derive(params)]),
  };
}
