import type { Backbone } from '../models/backbone.js';
import { buildClassifier, describe, describeStages, type ModelSummary, type StageSummary } from '../models/describe.js';

/** The cost of a stage. `milliseconds` is the time of the network from its input to the end of this stage. */
export interface StageCost extends Omit<StageSummary, 'outputs'> {
  readonly milliseconds?: number;
}

/** The cost of a model and its stages. `milliseconds` is the median time of one image. */
export interface ModelCost extends ModelSummary {
  readonly activationBytes: number;
  readonly breakdown: readonly StageCost[];
  readonly milliseconds?: number;
}

/** Counts what a backbone with its classifier costs, stage by stage. */
export function cost(backbone: Backbone): ModelCost {
  const { logits } = buildClassifier(backbone);
  const breakdown = describeStages(backbone, logits).map(({ name, size, params, macs, activationBytes }) => ({
    name,
    size,
    params,
    macs,
    activationBytes,
  }));
  const activationBytes = breakdown.reduce((sum, stage) => sum + stage.activationBytes, 0);
  return { ...describe(backbone), activationBytes, breakdown };
}
