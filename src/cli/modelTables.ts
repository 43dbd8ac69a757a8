import type { Backbone } from '../models/backbone.js';
import type { ModelSummary } from '../models/describe.js';
import { cells, HEADINGS } from '../models/reference.js';
import { weightsOf } from '../weights/catalog.js';
import type { ModelCost } from './modelCost.js';
import { table } from './table.js';

const MIB = 2 ** 20;
const millions = (value: number): string => (value / 1e6).toFixed(3);
const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(2);
const milliseconds = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(2));

/** A table with a row for each model. */
export const formatTable = (summaries: readonly ModelSummary[]): string =>
  table([[...HEADINGS, 'weights'], ...summaries.map((summary) => [...cells(summary), describeWeights(summary.name)])]);

/** The weights that the catalog has for a backbone, each with the kind of its source. */
const describeWeights = (backbone: string): string =>
  weightsOf(backbone)
    .map(({ name, source }) => `${source}: ${name}`)
    .join(', ');

/** The model, its feature maps, and the cost of each stage. */
export function formatModel({ source }: Backbone, model: ModelCost): string {
  const taps = model.stages.map(
    ({ tap, stride, channels }) => `${tap}  stride ${String(stride).padStart(2)}  ${channels} channels`,
  );
  const { milliseconds: total, resolution } = model;
  const times = `ms: median time of one image of ${resolution} × ${resolution}; that of a stage is the difference from the stage before`;
  return [
    formatTable([model]),
    '',
    ...taps,
    '',
    formatStages(model),
    ...(total === undefined ? [] : ['', times]),
    '',
    `architecture: ${source}`,
    `published figures: ${model.published.source}`,
  ].join('\n');
}

function formatStages({ breakdown, params, macs, activationBytes, milliseconds: total }: ModelCost): string {
  const isTimed = total !== undefined;
  const heading = ['stage', 'out', 'params M', 'MACs M', 'memory MiB', ...(isTimed ? ['ms'] : [])];
  const rows = breakdown.map((stage, i) => {
    const before = breakdown[i - 1]?.milliseconds ?? 0;
    const own = stage.milliseconds === undefined ? undefined : Math.max(0, stage.milliseconds - before);
    const figures = [millions(stage.params), millions(stage.macs), mebibytes(stage.activationBytes)];
    return [stage.name, stage.size.join('×'), ...figures, ...(isTimed ? [milliseconds(own)] : [])];
  });
  const sums = [millions(params), millions(macs), mebibytes(activationBytes)];
  const sum = ['sum', '', ...sums, ...(isTimed ? [milliseconds(total)] : [])];
  return table([heading, ...rows, sum]);
}

/** The figures of two models, and their ratios. */
export function formatComparison(mine: ModelCost, theirs: ModelCost): string {
  const figures = ({ params, macs, activationBytes, milliseconds: time = 0 }: ModelCost): number[] => [
    params / 1e6,
    macs / 1e6,
    activationBytes / MIB,
    time,
  ];
  const row = (name: string, values: readonly number[], digits: number): string[] => [
    name,
    ...values.map((value) => value.toFixed(digits)),
  ];
  const [own, other] = [figures(mine), figures(theirs)];
  const ratios = own.map((value, i) => value / other[i]!);
  return table([
    ['', 'params M', 'MACs M', 'memory MiB', 'ms'],
    row(mine.name, own, 2),
    row(theirs.name, other, 2),
    row('ratio', ratios, 2),
  ]);
}
