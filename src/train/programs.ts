import { parametersOf, type Program } from '../graph/program.js';
import * as b from '../graph/builder.js';
import { isOp } from '../graph/builder.js';
import { count } from '../graph/count.js';
import { fold, type Folded } from '../graph/fold.js';
import { graft } from '../graph/graft.js';
import type { Params } from '../graph/params.js';
import { ancestors, splitAt } from '../graph/rewrite.js';
import { paramAttrs } from '../graph/slots.js';
import type { Graph, Node, Ops, Role, Value } from '../graph/spec.js';
import { syncBatchNorms } from '../graph/syncBatchNorm.js';
import { assignAll, batchNormUpdates, normsOf, updates, type UpdateOptions } from '../graph/update.js';
import type { Model, OldModel } from '../tasks/model.js';
import type { OldAnswers } from '../tasks/distillation.js';
import { averages, ofAverages } from './ema.js';
import type { FreezePlan } from './freeze.js';

export interface TrainPrograms {
  readonly train: Program;
  /** Replaces `train` for all but the last batch of a step, where a step takes several batches. */
  readonly gather?: Program;
  readonly evaluate: Program;
  /** Image → features of the frozen stages, which feed `train` in place of the image; absent where these cannot run on
   *  their own. */
  readonly prefix?: Program;
  /** Names of the parameters that the optimizer changes. */
  readonly trained: readonly string[];
  /** Computes the folded parameters from the model's parameters, and adds those of the old model. */
  readonly derive: Folded['derive'];
}

export interface ProgramOptions {
  readonly batch: number;
  readonly evaluateBatch: number;
  /** Height and width of the training input, in pixels; default: the model's. */
  readonly size?: readonly [number, number];
  readonly plan: FreezePlan;
  readonly update: Omit<UpdateOptions, 'lr' | 'overWorkers'>;
  /** Workers that train on a part of each batch; default: 1. */
  readonly workers?: number;
  /** Whether BatchNorm uses the statistics of the parts of all workers. */
  readonly syncBatchNorm?: boolean;
  /** Keep moving averages of the trained parameters and the statistics, and evaluate those. Adds the input `emaShare`. */
  readonly ema: boolean;
  /** Whether the frozen stages become a program of their own, `prefix`: always, or where they do at least half of the
   *  arithmetic of the forward pass, so that passing their features on takes little of the time that a faster engine
   *  gains. */
  readonly split: 'always' | 'ifLarge' | 'never';
}

const trainedRoles: readonly Role[] = ['weight', 'bias', 'scale', 'shift'];

function record(names: readonly string[], values: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}

/** Prefix of the old model's parameter names, so that both models fit into one graph. */
const OLD = 'old.';

/** Adds the old model to the graph and returns its outputs on the same images. All of it is frozen, so it is folded,
 *  and belongs to the prefix where that runs on its own. */
function oldAnswers({ task, ...rest }: OldModel, image: Value): OldAnswers {
  const [batch, height, width] = image.shape as [number, number, number];
  const { outputs } = task.build({ batch, size: [height, width], trainBatchNorm: () => false });
  const names = Object.keys(outputs);
  return { ...rest, outputs: record(names, graft(Object.values(outputs), { image }, OLD)) };
}

/** Builds outputs, total loss and its parts, with the frozen BatchNorms folded into their convolutions. */
function buildFolded(
  model: Model,
  batch: number,
  plan: FreezePlan,
  { size, training, workers = 1 }: { size: readonly [number, number]; training: boolean; workers?: number },
): { values: Record<string, Value>; folded: Folded } {
  const trainBatchNorm = training ? plan.trainBatchNorm : () => false;
  const { image, outputs, loss } = model.task.build({ batch, size, trainBatchNorm, training });
  const old = training && model.old ? oldAnswers(model.old, image) : undefined;
  const { total, parts } = loss({ training, old, workers });
  const wanted = training ? { loss: total, ...parts } : { ...outputs, loss: total };
  const folded = fold(Object.values(wanted), (name) => name.startsWith(OLD) || plan.frozen(name));
  return { values: record(Object.keys(wanted), folded.roots), folded };
}

/** Finds the nodes that follow from each image alone: they have a row for each image of the batch; they depend on no
 *  target and on no node that `changes` (a trained parameter, a random draw); and nothing on their way combines images,
 *  as a mean over the batch does. */
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

/** Cuts the training graph behind the frozen stages: `prefix` computes the features, and `outputs` are the same values
 *  over a new graph that takes the features as inputs. */
function cutPrefix(
  values: Record<string, Value>,
  batch: number,
  trained: readonly Value[],
): { readonly prefix: Program; readonly outputs: Record<string, Value> } {
  const changing = new Set(trained.map(({ node }) => node));
  const changes = (node: Node): boolean => isOp(node, 'randomUniform') || changing.has(node);
  const still = nodesByImage(values.loss!.node.graph, batch, changes);
  const { frontier, roots } = splitAt(Object.values(values), (node) => still.has(node));
  const names = frontier.map((_, i) => `feature.${i}`);
  return { prefix: { outputs: record(names, frontier) }, outputs: record(Object.keys(values), roots) };
}

const isLarge = (prefix: Program, values: Readonly<Record<string, Value>>): boolean =>
  count(Object.values(prefix.outputs)).macs >= count(Object.values(values)).macs / 2;

/** Builds a training step and an evaluation as programs of one session. */
export function buildPrograms(
  model: Model,
  { batch, evaluateBatch, size = model.size, plan, update, ema, split, workers = 1, syncBatchNorm }: ProgramOptions,
): TrainPrograms {
  const { values, folded } = buildFolded(model, batch, plan, { size, training: true, workers });
  const evaluateSize = model.task.evaluateSize ?? size;
  const evaluation = buildFolded(model, evaluateBatch, plan, { size: evaluateSize, training: false });
  const isTrained = ({ name, role }: Ops['param']): boolean =>
    trainedRoles.includes(role) && model.parameters.has(name) && !plan.frozen(name);
  const trainedIn = (roots: readonly Value[]): Value[] =>
    ancestors(roots).flatMap((node) => (isOp(node, 'param') && isTrained(node.attrs) ? [node.outputs[0]!] : []));
  const whole = { prefix: undefined, outputs: values };
  const cut = split === 'never' ? whole : cutPrefix(values, batch, trainedIn(Object.values(values)));
  const { prefix, outputs: rest } = split === 'ifLarge' && cut.prefix && !isLarge(cut.prefix, values) ? whole : cut;

  const synced = workers > 1 && syncBatchNorm ? syncBatchNorms(Object.values(rest), workers) : undefined;
  const outputs = synced ? record(Object.keys(rest), synced.roots) : rest;
  const loss = outputs.loss!;
  const trained = trainedIn([loss]);
  const lr = b.input(loss.node.graph, 'lr', []);
  const overWorkers = workers > 1 ? b.workersMean : undefined;
  const { step, gather, gradientNorm, batchNorm, next } = updates(loss, trained, { ...update, lr, overWorkers });
  const statistics = batchNormUpdates(synced?.norms ?? normsOf(loss.node.graph), overWorkers);
  const changed = new Map([...next, ...statistics]);
  const means = (values: Readonly<Record<string, Value>>): Record<string, Value> =>
    overWorkers ? record(Object.keys(values), overWorkers(Object.values(values))) : values;
  const train = {
    outputs: { ...means(outputs), gradientNorm },
    updates: [...step, ...assignAll(statistics), ...(ema ? averages(changed, model) : [])],
  };
  const evaluated = Object.values(evaluation.values);
  const used = parametersOf({ train, ...(prefix && { prefix }) });
  const old: Params = new Map([...(model.old?.params ?? [])].map(([name, param]) => [OLD + name, param]));
  return {
    train,
    ...(update.accumulate > 1 && {
      gather: {
        outputs: means({ ...outputs, gradientNorm: batchNorm }),
        updates: [...gather, ...assignAll(statistics)],
      },
    }),
    evaluate: {
      outputs: record(Object.keys(evaluation.values), ema ? ofAverages(evaluated, changed) : evaluated),
    },
    ...(prefix && { prefix }),
    trained: trained.map((value) => paramAttrs(value).name),
    derive: (params) =>
      new Map([
        ...[...old].filter(([name]) => used.has(name)),
        ...folded.derive(new Map([...params, ...old])),
        ...evaluation.folded.derive(params),
      ]),
  };
}
