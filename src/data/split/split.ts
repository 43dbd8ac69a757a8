import { relative, resolve, sep } from 'node:path';
import { isUnpacked } from '../formats/records/unpackImage.js';
import type { Annotation, Dataset, PartName } from '../sample.js';
import { learnedClasses } from '../countObjects.js';
import { findLike, linkedGroups } from '../likeness/findLike.js';
import { drawParts, type Group } from './drawParts.js';

/** How the images of a training part are divided into parts. */
export interface SplitOptions {
  /** Share of the images for validation, above 0 and below 1. */
  readonly val: number;
  /** Share of the images for the test part; 0: there is none. */
  readonly test: number;
  /** What stays on one side, and what is spread evenly. `group`: near-duplicates stay together, and the classes are spread;
   *  `class`: the classes are spread; `none`: images are drawn one by one. */
  readonly by: 'group' | 'class' | 'none';
  readonly seed: number;
}

export interface SplitContext {
  /** Folder of the data set: names of images count from here. */
  readonly root: string;
  readonly signal?: AbortSignal | undefined;
  /** The parts of images that were divided before, by name: they stay where they are, and images that are not among
   *  them are trained on. */
  readonly kept?: Readonly<Record<string, PartName>> | undefined;
}

export interface Split {
  readonly parts: Partial<Record<PartName, Dataset>>;
  /** The part of each image by its name. */
  readonly placed: Readonly<Record<string, PartName>>;
  /** What a reader of the score must know. */
  readonly remarks: readonly string[];
}

/** Share of the images above which a group is cut: it would leave nothing to hold out. */
const LARGEST = 0.5;
/** Number of blocks that all images would be cut into. */
const BLOCKS = 20;

/** Divides a data set. The same images, options and seed give the same parts, in whatever order the images come and
 *  wherever the folder lies; an image that is added moves few others. Images outside of `root` (drawn ones) stay in the
 *  training part, but for those that stand inside files of labels. */
export async function splitDataset(
  dataset: Dataset,
  { val, test, by, seed }: SplitOptions,
  { root, signal, kept }: SplitContext,
): Promise<Split> {
  const folder = resolve(root) + sep;
  const nameOf = ({ file, imageId }: Annotation): string => {
    if (isUnpacked(file)) return String(imageId);
    return (file.startsWith(folder) ? file.slice(folder.length) : relative(folder, file)).replaceAll('\\', '/');
  };
  const own = dataset.annotations
    .map((annotation, row) => ({ annotation, row, name: nameOf(annotation) }))
    .filter(({ name }) => !name.startsWith('../'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const remarks: string[] = [];
  const partOf = new Map<number, PartName>(); // row → part
  if (kept) {
    const fresh = own.filter(({ name }) => kept[name] === undefined).length;
    if (fresh > 0)
      remarks.push(
        `${fresh} of ${own.length} images are new since the run divided its images: they are in the training part.`,
      );
    for (const { row, name } of own) partOf.set(row, kept[name] ?? 'train');
  } else {
    const annotations = own.map(({ annotation }) => annotation);
    const links = by === 'group' ? await findLike(annotations.map(lookedAt), { signal }) : [];
    const { groups, cut } = blocksOf(linkedGroups(own.length, links));
    if (cut > 0)
      remarks.push(
        `${cut} of ${own.length} images look like each other or are of one video: they were divided in blocks of neighbours by name, so a few images of the held-out parts resemble some that the model learns from.`,
      );
    const toGroup = (members: readonly number[]): Group => ({
      name: own[members[0]!]!.name,
      size: members.length,
      classes: by === 'none' ? [] : members.map((i) => classesOf(annotations[i]!)),
    });
    const shares = { train: 1 - val - test, val, ...(test > 0 && { test }) };
    const drawn = drawParts(groups.map(toGroup), shares, seed);
    groups.forEach((members, g) => members.forEach((i) => partOf.set(own[i]!.row, drawn[g]!)));
  }
  const names: readonly PartName[] = ['train', 'val', ...(test > 0 ? (['test'] as const) : [])];
  return {
    parts: Object.fromEntries(names.map((part) => [part, pick(dataset, part, partOf)])),
    placed: Object.fromEntries(own.map(({ name, row }) => [name, partOf.get(row)!])),
    remarks,
  };
}

const lookedAt = (annotation: Annotation) => ({
  file: annotation.file,
  label: annotation.kind === 'wholeImage' ? annotation.label : undefined,
});

const classesOf = (annotation: Annotation): readonly number[] =>
  annotation.kind === 'wholeImage' ? [annotation.label] : [...new Set<number>(learnedClasses(annotation))];

/** The members of each group. A group of more than half of the images is cut into blocks of neighbours. */
function blocksOf(groupOf: readonly number[]): { readonly groups: number[][]; readonly cut: number } {
  const byGroup = new Map<number, number[]>();
  groupOf.forEach((group, i) => {
    const members = byGroup.get(group);
    if (members) members.push(i);
    else byGroup.set(group, [i]);
  });
  const { length } = groupOf;
  const block = Math.ceil(length / BLOCKS);
  let cut = 0;
  const groups = [...byGroup.values()].flatMap((members) => {
    if (members.length === 1 || members.length <= LARGEST * length) return [members];
    cut += members.length;
    const count = Math.ceil(members.length / block);
    return Array.from({ length: count }, (_, k) => members.slice(k * block, (k + 1) * block));
  });
  return { groups, cut };
}

/** The images of one part. Those that are not divided belong to the training part, as often as they came for each image
 *  that is divided. */
function pick(dataset: Dataset, part: PartName, partOf: ReadonlyMap<number, PartName>): Dataset {
  const { annotations, repeat, dropped, name } = dataset;
  const rows = [...annotations.keys()].filter((row) => (partOf.get(row) ?? 'train') === part);
  const kept = rows.map((row) => annotations[row]!);
  const ids = new Set(kept.map(({ imageId }) => imageId));
  const share = rows.filter((row) => partOf.has(row)).length / Math.max(1, partOf.size);
  return {
    ...dataset,
    name: `${part} of ${name}`,
    annotations: kept,
    dropped: part === 'train' ? dropped : {},
    ...(part === 'train' && repeat
      ? { repeat: Float64Array.from(rows, (row) => repeat[row]! * (partOf.has(row) ? 1 : share)) }
      : { repeat: undefined }),
    toCoco: () => {
      const whole = dataset.toCoco();
      return {
        ...whole,
        images: whole.images.filter(({ id }) => ids.has(id)),
        annotations: whole.annotations.filter(({ image_id }) => ids.has(image_id)),
      };
    },
  };
}
