import type { Program } from '../engine/engine.js';
import * as b from '../graph/builder.js';
import { isOp } from '../graph/builder.js';
import { fold, type Folded } from '../graph/fold.js';
import { dependents } from '../graph/grad.js';
import { ancestors, splitAt } from '../graph/rewrite.js';
import type { Role, Value } from '../graph/spec.js';
import { batchNormUpdates, paramAttrs, sgd, type SgdOptions } from '../graph/update.js';
import type { Model } from '../model.js';
import type { FreezePlan } from './freeze.js';

export interface TrainPrograms {
  readonly train: Program;
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
  readonly plan: FreezePlan;
  readonly optimizer: Omit<SgdOptions, 'lr'>;
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
  training: boolean,
): { values: Record<string, Value>; folded: Folded } {
  const trainBatchNorm = training ? plan.trainBatchNorm : () => false;
  const size = training ? model.size : (model.task.evaluateSize ?? model.size);
  const { outputs } = model.task.build({ batch, size, trainBatchNorm, training });
  const { total, parts } = model.task.loss(outputs, { training });
  const wanted = training ? { loss: total, ...parts } : { ...outputs, loss: total };
  const folded = fold(Object.values(wanted), plan.frozen);
  return { values: record(Object.keys(wanted), folded.roots), folded };
}

/** One training step and one evaluation as programs of one session. */
export function buildPrograms(
  model: Model,
  { batch, evaluateBatch, plan, optimizer, split }: ProgramOptions,
): TrainPrograms {
  const { values, folded } = buildFolded(model, batch, plan, true);
  const evaluation = buildFolded(model, evaluateBatch, plan, false);
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
  const { updates, gradientNorm } = sgd(loss, trained, { ...optimizer, lr });
  return {
    train: { outputs: { ...outputs, gradientNorm }, updates: [...updates, ...batchNormUpdates(loss.node.graph)] },
    evaluate: { outputs: evaluation.values },
    ...(prefix && { prefix }),
    trained: trained.map((value) => paramAttrs(value).name),
    derive: (params) => new Map([...folded.derive(params), ...evaluation.folded.derive(params)]),
  };
}
