import type { Findings } from '../findings.js';
import type { Format, ReadOptions } from '../formats/format.js';
import type { PartName } from '../sample.js';
import { splitDataset, type Split, type SplitContext, type SplitOptions } from './split.js';

/** What is learned when images are divided into parts. */
export type DividedImages = Pick<Split, 'placed' | 'remarks'>;

type Inspected = Parameters<NonNullable<Findings['inspect']>>;

/** Opens the training part of a data set and divides its images into parts. Images are inspected as images of the part
 *  that they are in; problems go to the findings of the training part. */
export async function openSplit<Data>(
  format: Format<Data>,
  data: Data,
  split: SplitOptions,
  { root, kept, ...options }: ReadOptions & SplitContext,
): Promise<Pick<Split, 'parts'> & Partial<DividedImages>> {
  const inspected = new Map<string | number, Inspected>();
  const findingsOf = (part: PartName): Findings =>
    part === 'train'
      ? { ...options.findingsOf(part), inspect: (...found) => void inspected.set(found[0].imageId, found) }
      : options.findingsOf(part);
  const skip: readonly PartName[] = split.test > 0 ? ['val', 'test'] : ['val'];
  const { train, ...others } = await format.open(data, { ...options, findingsOf, skip });
  if (!train) return { parts: others };
  const divided = await splitDataset(train, split, { root, signal: options.signal, kept });
  for (const [part, dataset] of Object.entries(divided.parts) as [PartName, typeof train][]) {
    const findings = options.findingsOf(part);
    for (const { imageId } of dataset.annotations) {
      const found = inspected.get(imageId);
      if (found) findings.inspect?.(...found);
    }
    if (dataset.annotations.length > 0 || options.findingsOf('train').problems().length > 0) continue;
    const { length } = train.annotations;
    findings.problem({
      code: 'E_DATA_EMPTY',
      option: 'data.split',
      message: `${length} ${length === 1 ? 'image leaves' : 'images leave'} none for the part ${part}`,
      fix:
        length < Object.keys(divided.parts).length || split.by === 'none'
          ? 'add images: each part needs one'
          : 'add images: a class needs one for each part; data.split.by: none draws images whatever their class',
    });
  }
  return { ...divided, parts: { ...divided.parts, ...others } };
}
