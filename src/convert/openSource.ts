import { stat } from 'node:fs/promises';
import { kindOf, readDatasets, type DataOptions } from '../data/dataset.js';
import type { CategoryChanges } from '../data/categoryChanges.js';
import { createFindings, type Findings } from '../data/findings.js';
import { detectLayouts } from '../data/formats/detect/detectLayouts.js';
import { usableImages } from '../data/image/usableImages.js';
import type { Dataset, Dropped, Kind, PartName } from '../data/sample.js';
import { FinetuneError, type Problem } from '../errors.js';
import { loadRecipe } from '../recipe/load.js';

/** A data set that was opened to be converted. */
export interface Source {
  /** The layout and the folder, for people. */
  readonly description: string;
  readonly format: DataOptions['format'];
  readonly kind: Kind;
  /** Files of labels that are not read, in the folder's layout. */
  readonly unread: readonly string[];
  readonly parts: Partial<Record<PartName, Dataset>>;
  /** What reading left out or corrected, by part. */
  readonly dropped: Partial<Record<PartName, Dropped>>;
}

export interface SourceOptions {
  readonly changes?: CategoryChanges | undefined;
  /** Wrong boxes and broken images are left out and counted, rather than an error. */
  readonly skipBroken?: boolean | undefined;
  /** Gives the findings of a part. Default: findings whose problems are thrown. */
  readonly findingsOf?: ((part: PartName) => Findings) | undefined;
}

/** Opens a folder of labels, whose layout is recognised, or the data of a recipe. Throws every problem of the data at
 *  once, as far as the findings keep them, and E_CONVERT_SOURCE if no layout is recognised. */
export async function openSource(
  path: string,
  { changes, skipBroken = false, findingsOf: create = createFindings }: SourceOptions,
): Promise<Source> {
  const { data, absent, unread } = await dataOf(path);
  const policies = skipBroken ? { invalidBoxes: 'drop', brokenImages: 'drop' } : {};
  const chosen = { ...data, ...policies, ...(changes && { categories: changes }) } as DataOptions;
  const findings = new Map<PartName, Findings>();
  const findingsOf = (part: PartName): Findings => {
    const own = create(part);
    findings.set(part, own);
    return own;
  };
  const read = await readDatasets(chosen, { findingsOf, skip: absent, unlearned: true });
  const parts: Partial<Record<PartName, Dataset>> = {};
  for (const [part, dataset] of Object.entries(read.parts) as [PartName, Dataset][])
    parts[part] = await usableImages(dataset, skipBroken ? 'drop' : 'error', findings.get(part)!);
  const problems = [...findings.values()].flatMap((one) => one.problems());
  if (problems.length > 0) throw new FinetuneError(problems.map(withFlag));
  const dropped = Object.fromEntries([...findings].map(([part, one]) => [part, one.dropped]));
  return {
    description: `${data.format} in ${data.root ?? path}`,
    format: data.format,
    kind: kindOf(data),
    unread,
    parts,
    dropped,
  };
}

/** Readers advise an option of a recipe; this command has a flag for it. */
const withFlag = (problem: Problem): Problem =>
  problem.fix === undefined
    ? problem
    : {
        ...problem,
        fix: problem.fix.replace(
          /set data\.(?:invalidBoxes|brokenImages): drop(?: to leave it out)?(?: \(the report counts (?:them|it)\))?/,
          'add --skip-broken to leave it out and count it',
        ),
      };

interface SourceData extends Pick<Source, 'unread'> {
  readonly data: DataOptions;
  readonly absent: readonly PartName[];
}

async function dataOf(path: string): Promise<SourceData> {
  const entry = await stat(path).catch(() => undefined);
  if (!entry?.isDirectory()) return { data: (await loadRecipe(path)).data, absent: [], unread: [] };
  const [best] = await detectLayouts(path);
  if (!best)
    throw new FinetuneError({
      code: 'E_CONVERT_SOURCE',
      message: 'no layout of labels is recognised in this folder',
      where: { file: path },
      fix: 'docs/data.md lists the layouts; a recipe whose data.format names the layout can be converted too',
    });
  if (!best.parts.includes('train') && best.format !== 'synthtext')
    throw new FinetuneError({
      code: 'E_CONVERT_SOURCE',
      message: `the folder is ${best.format}, because ${best.why}; but it has no training part that can be read`,
      where: { file: path },
      fix: 'call one folder or file of annotations train, or name the parts in a recipe and convert that',
    });
  // What a recipe's schema would fill in; the layouts that need it are those of the kind.
  const defaults = best.kind === 'text' ? { characters: 'mask', transcriptions: true, crops: 1 } : { splitSeed: 1 };
  const absent = (['val', 'test'] as const).filter((part) => !best.parts.includes(part));
  return { data: { ...defaults, ...best.data } as unknown as DataOptions, absent, unread: best.unread };
}
