import type { Model } from '../tasks/model.js';
import type { WeightsReport } from '../weights/load.js';

/** Groups of parameters that a message lists. */
const MOST_GROUPS = 6;

/** Says which parts of a model start at random, a sentence each; `report` is that of its weights, if it has any. */
export function describeRandomStart(
  { parameters }: Pick<Model, 'parameters'>,
  report: Pick<WeightsReport, 'missing' | 'adapted'> | undefined,
): string[] {
  if (!report) return ['The whole model starts at random: no weights are loaded.'];
  const partly = report.adapted
    .filter((sentence) => sentence.includes('; these keep their initial values: '))
    .map((sentence) => `A part of a layer starts at random: ${sentence}.`);
  const { missing } = report;
  if (missing.length === 0) return partly;
  const groups = new Map<string, number>();
  for (const name of missing) {
    const group = name.split('.').slice(0, 2).join('.');
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  const listed = [...groups].slice(0, MOST_GROUPS).map(([group, count]) => `${group} (${count})`);
  const more = groups.size > MOST_GROUPS ? ` and ${groups.size - MOST_GROUPS} more` : '';
  return [
    `${missing.length} of ${parameters.size} parameters are not in the weights and start at random: ${listed.join(', ')}${more}.`,
    ...partly,
  ];
}
