import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createFindings, type Findings, type Note } from '../data/findings.js';
import { writers, type WriterName } from '../data/formats/writers/writers.js';
import type { Loss, WrittenImage, WrittenSet, Writer } from '../data/formats/writers/writer.js';
import { FinetuneError, type Where } from '../errors.js';
import { collect, type Collected } from './collect.js';
import { openSource } from './openSource.js';
import { repairSet } from './repairSet.js';
import { countParts, needNewFolder, writeFolder, type PartCounts, type WriteFolderOptions } from './writeFolder.js';

export interface RepairOptions extends Omit<WriteFolderOptions, 'images'> {
  /** A folder of labels, or a recipe. */
  readonly source: string;
}

/** Something that is different in the copy. */
export interface Change {
  /** `corrected`, or `left out`, since what is right is not certain. */
  readonly kind: 'corrected' | 'left out';
  readonly message: string;
  readonly where?: Where;
}

export interface Repaired {
  readonly source: string;
  readonly out: string;
  readonly changes: readonly Change[];
  readonly parts: PartCounts;
  /** What the layout's writer cannot express. */
  readonly losses: readonly Loss[];
}

/** The file of the copy that lists the changes. */
export const REPAIRS_FILE = 'REPAIRS.md';

/** The writers of the layouts that can be repaired. */
const WRITERS: Readonly<Record<string, WriterName>> = {
  ...{ coco: 'coco', voc: 'voc', yolo: 'yolo', labelme: 'labelme', createml: 'createml', icdar: 'icdar' },
  ...{ 'box-csv': 'csv', csv: 'csv', imageFolder: 'imageFolder', via: 'via' },
  ...{ labelstudio: 'labelstudio', 'labelstudio-classes': 'labelstudio' },
  ...{ huggingface: 'huggingface', 'huggingface-classes': 'huggingface' },
};

/** Writes a copy of a data set in its own layout, in which everything is right that can be put right with certainty; what
 *  cannot is left out. Throws E_CONVERT_OUT as convert does, E_CONVERT_TO for a layout that is not written, and
 *  E_CONVERT_SOURCE if nothing can be read. */
export async function repair({ source, out, onProgress, signal }: RepairOptions): Promise<Repaired> {
  await needNewFolder(out, source);
  const changes: Change[] = [];
  const opened = await openSource(source, { skipBroken: true, findingsOf: () => mending(changes) });
  const name = WRITERS[opened.format];
  const byKind: Partial<Record<typeof opened.kind, Writer>> = name ? writers[name] : {};
  const write = byKind[opened.kind];
  if (!write)
    throw new FinetuneError({
      code: 'E_CONVERT_TO',
      message: `${opened.format} is not a layout that is written`,
      where: { file: source },
      fix: 'finetune convert --skip-broken writes its good part in another layout',
    });
  const { set, fileOf } = withoutTwins(collect(opened.parts), await contentsOf(opened.parts), changes);
  if (set.images.length === 0)
    throw new FinetuneError({
      code: 'E_CONVERT_SOURCE',
      message: `nothing can be read: ${changes
        .slice(0, 5)
        .map(({ message }) => message)
        .join('; ')}`,
      where: { file: source },
      fix: 'finetune check tells what is wrong',
    });
  const files = new Map<WrittenImage, string>();
  const repaired = repairSet(set, (image, message) => {
    changes.push({ kind: 'corrected', message, where: { file: fileOf.get(image)! } });
  });
  repaired.images.forEach((image, i) => files.set(image, fileOf.get(set.images[i]!)!));
  const written = write(repaired);
  const texts = new Map([...written.files, [REPAIRS_FILE, listOf(opened.description, changes)]]);
  await writeFolder(
    { ...written, files: texts },
    { set: repaired, fileOf: files },
    { out, images: 'copy', onProgress, signal },
  );
  return { source: opened.description, out, changes, parts: countParts(repaired), losses: written.losses };
}

/** Findings under which readers correct what is certain, and leave out the rest. */
function mending(changes: Change[]): Findings {
  const add = (kind: Change['kind'], message: string, where?: Where): void => {
    changes.push({ kind, message, ...(where && { where }) });
  };
  const told = (reason: string, note?: () => Note): [string, Where | undefined] => {
    const { message, where } = note?.() ?? {};
    return [message === undefined ? reason : `${reason}: ${message}`, where];
  };
  const base = createFindings();
  const findings: Findings = {
    ...base,
    mends: true,
    problem: ({ message, where }) => {
      add('left out', message, where);
    },
    count: (reason, note, times) => {
      base.count(reason, note, times);
      add('corrected', ...told(reason, note));
    },
    report: (_, reason, problem) => {
      add('left out', ...told(reason, problem));
    },
    absorb: (error) => {
      if (!(error instanceof FinetuneError)) throw error;
      for (const problem of error.problems) findings.problem(problem);
    },
  };
  return findings;
}

/** A hash of the bytes of each image file. */
async function contentsOf(parts: Parameters<typeof collect>[0]): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  for (const { annotations } of Object.values(parts))
    for (const { file } of annotations)
      if (!hashes.has(file))
        hashes.set(
          file,
          createHash('sha1')
            .update(await readFile(file))
            .digest('hex'),
        );
  return hashes;
}

/** The images without copies of an image of the same part with the same labels. Copies with other labels stay. */
function withoutTwins({ set, fileOf }: Collected, hashes: ReadonlyMap<string, string>, changes: Change[]) {
  const firsts = new Map<string, WrittenImage>();
  const images = set.images.filter((image) => {
    const file = fileOf.get(image)!;
    const labels = JSON.stringify([image.label, image.objects]);
    const key = `${image.part} ${hashes.get(file)!} ${labels}`;
    const first = firsts.get(key);
    if (!first) {
      firsts.set(key, image);
      return true;
    }
    const message = `the same picture with the same labels as ${fileOf.get(first)!}, removed`;
    changes.push({ kind: 'corrected', message, where: { file } });
    return false;
  });
  return { set: { ...set, images } satisfies WrittenSet, fileOf };
}

/** The changes as a text for people. */
function listOf(source: string, changes: readonly Change[]): string {
  const of = (kind: Change['kind']): string[] =>
    changes.filter((change) => change.kind === kind).map((change) => `- ${describeChange(change)}`);
  const [corrected, left] = [of('corrected'), of('left out')];
  return [
    `A repaired copy of ${source}, written by finetune check --fix. It has what training reads: images, boxes, classes and`,
    'marks. Other fields of the files, such as segmentations and attributes, are not in it.',
    '',
    `## Corrected (${corrected.length})`,
    '',
    ...corrected,
    '',
    `## Left out, because what is right is not certain (${left.length})`,
    '',
    ...left,
    '',
  ].join('\n');
}

/** A change with its place. */
export function describeChange({ message, where }: Change): string {
  const place = [where?.file, where?.line].filter((one) => one !== undefined).join(':');
  return place === '' ? message : `${place}: ${message}`;
}
