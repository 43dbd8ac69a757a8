import { assertKnown, changePart, isChange, type CategoryChanges, type CategoryChoice } from '../categoryChanges.js';
import type { Findings } from '../findings.js';
import type { DropPolicies, ReadPart } from '../rawDataset.js';
import type { PartName } from '../sample.js';
import type { SplitOptions } from '../split/split.js';
import { checkBoxForm } from './boxForm.js';
import { buildPart } from './buildPart.js';
import type { Format, Parts, ReadOptions } from './format.js';

/** The options that all layouts of images with boxes share. */
export interface BoxData extends DropPolicies {
  /** Names to learn, in the order of the model's classes, or changes to all names. Without them: all of the training
   *  part. */
  readonly categories?: CategoryChoice | undefined;
  /** Where the test part is; every layout says in its own way. */
  readonly test?: unknown;
  readonly split?: SplitOptions | null | undefined;
}

/** How one layout reads its parts. */
export interface BoxLayout<Data extends BoxData> {
  readPart(
    data: Data,
    part: PartName,
    findings: Findings,
    policies: Required<DropPolicies>,
    signal: AbortSignal | undefined,
  ): Promise<ReadPart>;
}

/** A layout of images with boxes. The parts are read first; then they are checked against the same categories in the
 *  same order. */
export const boxFormat = <Data extends BoxData>(layout: BoxLayout<Data>): Format<Data> => ({
  kind: 'boxes',
  open: (data, options) => openBoxes(layout, data, options),
});

async function openBoxes<Data extends BoxData>(
  layout: BoxLayout<Data>,
  data: Data,
  { signal, findingsOf, skip = [] }: ReadOptions,
): Promise<Parts> {
  const { invalidBoxes = 'error', brokenImages = 'error' } = data;
  const names: readonly PartName[] = ['train', 'val', ...(data.test ? (['test'] as const) : [])];
  const parts = names.filter((part) => !skip.includes(part)).map((part) => ({ part, findings: findingsOf(part) }));
  const read = new Map<PartName, ReadPart>();
  for (const { part, findings } of parts) {
    const result = await layout
      .readPart(data, part, findings, { invalidBoxes, brokenImages }, signal)
      .catch((error: unknown) => findings.absorb(error));
    if (!result) continue;
    checkBoxForm(result, findings);
    read.set(part, result);
  }
  const { categories } = data;
  const changed = isChange(categories) ? changeParts(read, categories, parts) : read;
  const wanted = isChange(categories) ? undefined : categories;
  const opened: Parts = {};
  for (const { part, findings } of parts) {
    try {
      const own = changed.get(part);
      if (!own) continue;
      const dataset = buildPart(own, [...changed.values()], wanted, findings, { invalidBoxes });
      opened[part] = dataset;
      if (dataset.annotations.length > 0 || findings.problems().length > 0) continue;
      const left = Object.entries(findings.dropped).map(([reason, count]) => `${reason}: ${count}`);
      const message = `${dataset.name} has no images${left.length > 0 ? ` (${left.join(', ')})` : ''}`;
      findings.problem({ code: 'E_DATA_EMPTY', message, where: { file: own.place } });
    } catch (error) {
      findings.absorb(error);
    }
  }
  return opened;
}

/** The parts with changed categories; none if a name that should change does not exist. */
function changeParts(
  read: ReadonlyMap<PartName, ReadPart>,
  changes: CategoryChanges,
  parts: readonly { readonly part: PartName; readonly findings: Findings }[],
): Map<PartName, ReadPart> {
  const [first] = read.values();
  try {
    const names = [...read.values()].flatMap(({ categories }) => categories.map(({ name }) => name));
    if (first) assertKnown(names, changes, first.place);
  } catch (error) {
    parts[0]!.findings.absorb(error);
    return new Map();
  }
  return new Map(
    parts.flatMap(({ part, findings }) => {
      const own = read.get(part);
      return own ? [[part, changePart(own, changes, findings)] as const] : [];
    }),
  );
}
