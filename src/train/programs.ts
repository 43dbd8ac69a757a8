import { parametersOf, type Program } from '../graph/program.js';
import * as b from '../graph/builder.js';
import { isOp } from '../graph/builder.js';
import { fold, type Folded } from '../graph/fold.js';
import { graft } from '../graph/graft.js';
import type { Params } from '../graph/params.js';
import { ancestors, rewrite, splitAt } from '../graph/rewrite.js';
import { paramAttrs, slotName } from '../graph/slots.js';
import type { Graph, Node, Role, Value } from '../graph/spec.js';
import { assignAll, batchNormUpdates, updates, type UpdateOptions } from '../graph/update.js';
import type { Model, OldModel } from '../tasks/model.js';
import type { OldAnswers } from '../tasks/distillation.js';
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
  /** Values of the folded parameters, from the model's, and of the old model's. */
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

/** What the parameters' names of the model as it was begin with, so that both have a place in one graph. */
const OLD = 'old.';

/** The old model's outputs on the same images, in the same graph: all of it is frozen, so it is folded, and a part of the prefix where
 *  that runs on its own. */
function oldAnswers({ task, ...rest }: OldModel, image: Value): OldAnswers {
  const [batch, height, width] = image.shape as [number, number, number];
  const { outputs } = task.build({ batch, size: [height, width], trainBatchNorm: () => false });
  const names = Object.keys(outputs);
  return { ...rest, outputs: record(names, graft(Object.values(outputs), { image }, OLD)) };
}

/** Outputs, total loss and its parts, with the frozen BatchNorms folded away. */
function buildFolded(
  model: Model,
  batch: number,
  plan: FreezePlan,
  { size, training }: { readonly size: readonly [number, number]; readonly training: boolean },
): { values: Record<string, Value>; folded: Folded } {
  const trainBatchNorm = training ? plan.trainBatchNorm : () => false;
  const { image, outputs, loss } = model.task.build({ batch, size, trainBatchNorm, training });
  const old = training && model.old ? oldAnswers(model.old, image) : undefined;
  const { total, parts } = loss({ training, old });
  const wanted = training ? { loss: total, ...parts } : { ...outputs, loss: total };
  const folded = fold(Object.values(wanted), (name) => name.startsWith(OLD) || plan.frozen(name));
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

/** What follows from each image alone, not from its targets, and not from what `changes` (is trained, is drawn): a row of the batch for each, and no sum over all of them
 *  (of the old model's certainty, say) on the way. */
function nodesByImage({ nodes }: Graph, batch: number, changes: (node: Node) => boolean): ReadonlySet<Node> {
  const image = nodes.find((node) => isOp(node, 'input') && node.attrs.name === 'image')!;
  const fromImage = new Set([image]);
  const changing = new Set<Node>();
  const found = new Set<Node>();
  for (const node of nodes) {
    const inputs = node.inputs.map((value) => value.node);
    if (inputs.some((from) => fromImage.has(from))) fromImage.add(node);
    const fed = isOp(node, 'input') && node !== image;
    if (fed || changes(node) || inputs.some((from) => changing.has(from))) changing.add(node);
    const rows = node.outputs.every(({ shape }) => shape.length > 0 && shape[0]! % batch === 0);
    const alone = inputs.every((from) => !fromImage.has(from) || from === image || found.has(from));
    if (node !== image && fromImage.has(node) && !changing.has(node) && rows && alone) found.add(node);
  }
  return found;
}

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
    const trained = trainedIn(Object.values(values)).map(({ node }) => node);
    const still = nodesByImage(graph, batch, (node) => isOp(node, 'randomUniform') || trained.includes(node));
    const cut = splitAt(Object.values(values), (node) => still.has(node));
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
  const train = {
    outputs: trainOutputs,
    updates: [...step, ...assignAll(statistics), ...(ema ? averages(moved, model) : [])],
  };
  const oldParams: Params = new Map([...(model.old?.params ?? [])].map(([name, param]) => [OLD + name, param]));
  const used = parametersOf({ train, ...(prefix && { prefix }) });
  return {
    train,
    ...(update.accumulate > 1 && { gather: { outputs: trainOutputs, updates: [...gather, ...assignAll(statistics)] } }),
    evaluate: {
      outputs: record(Object.keys(evaluation.values), ema ? ofAverages(evaluated, moved) : evaluated),
    },
    ...(prefix && { prefix }),
    trained: trained.map((value) => paramAttrs(value).name),
    derive: (params) => {
      const derived = [...folded.derive(new Map([...params, ...oldParams])), ...evaluation.folded.derive(params)];
      return new Map([...[...oldParams].filter(([name]) => used.has(name)), ...derived]);
    },
  };
}
