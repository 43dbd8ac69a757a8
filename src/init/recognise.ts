import { extname } from 'node:path';
import { detectLayouts } from '../data/formats/detect/detectLayouts.js';
import type { Detected } from '../data/formats/detect/detected.js';
import { listFiles } from '../data/formats/detect/listing.js';
import { layoutNames } from '../data/formats/text/layouts.js';
import type { Kind } from '../data/sample.js';
import { didYouMean } from '../didYouMean.js';
import { FinetuneError } from '../errors.js';
import { adviceOn } from './advice.js';
import { labelledData } from '../recipe/schema/labelledData.js';
import { objectData } from '../recipe/schema/objectData.js';
import { textData } from '../recipe/schema/textData.js';
import type { Recipe } from '../recipe/schema.js';

export type TaskName = Recipe['task'];

const KINDS: Readonly<Record<TaskName, Kind>> = { detection: 'boxes', text: 'text', classification: 'wholeImage' };
export const TASKS = Object.keys(KINDS) as TaskName[];
export const taskOf = (kind: Kind): TaskName => TASKS.find((task) => KINDS[task] === kind)!;

export interface Asked {
  readonly task?: TaskName | undefined;
  readonly layout?: string | undefined;
}

/** A layout that the folder has, and others that it could have. */
export interface Recognised {
  readonly chosen: Detected;
  /** They are less certain, or say the same in another file; a person is told. */
  readonly others: readonly Detected[];
}

/** Readings whose certainties differ by less are equally likely, if they lead to different tasks. */
const CLOSE = 0.25;
/** Least certainty of a reading that is worth naming. */
const LIKELY = 0.4;

/** The layouts that a recipe can read, by task. */
const formatsOf = (task: TaskName): string[] => {
  const schema = { detection: objectData, classification: labelledData, text: textData }[task];
  return schema.options.flatMap(({ shape: { format } }) => ('options' in format ? format.options : [format.value]));
};
const isReadable = ({ kind, format }: Detected): boolean => formatsOf(taskOf(kind)).includes(format);

/** Recognises the layout of a folder, and with it the task. Throws E_INIT_LAYOUT if no layout fits, and
 *  E_INIT_AMBIGUOUS if several fit equally well. */
export async function recognise(folder: string, { task, layout }: Asked = {}): Promise<Recognised> {
  const all = (await detectLayouts(folder)).map((found) => withTextLayout(found, layout));
  const fitting = all.filter(
    ({ kind, format, data }) =>
      (!task || kind === KINDS[task]) && (layout === undefined || format === layout || data['layout'] === layout),
  );
  const [first, ...rest] = fitting;
  if (!first || !isReadable(first)) throw await unknownLayout(folder, { task, layout }, all, fitting);
  const others = rest.filter((other) => other.certainty >= LIKELY && isReadable(other));
  const rival = others.find(
    ({ certainty, kind }) => first.certainty - certainty < (kind === first.kind ? 0.01 : CLOSE),
  );
  if (!rival) return { chosen: first, others };
  throw new FinetuneError({
    code: 'E_INIT_AMBIGUOUS',
    message: `the folder can be read in two ways: ${describe(first)}; or ${describe(rival)}`,
    where: { file: first.data.root },
    fix:
      rival.kind === first.kind
        ? `choose with --layout ${first.format} or --layout ${rival.format}`
        : `choose with --task ${taskOf(first.kind)} or --task ${taskOf(rival.kind)}`,
  });
}

/** Scene text in the layout of text files that was asked for; any other layout as it is. */
const withTextLayout = (found: Detected, layout: string | undefined): Detected =>
  found.format === 'icdar' && layoutNames.some((name) => name === layout)
    ? { ...found, data: { ...found.data, layout }, why: 'its text files have coordinates' }
    : found;

const describe = ({ format, kind, why }: Detected): string => `as ${format}, for ${taskOf(kind)} (${why})`;

async function unknownLayout(
  folder: string,
  { task, layout }: Asked,
  all: readonly Detected[],
  fitting: readonly Detected[],
): Promise<FinetuneError> {
  const listing = await listFiles(folder);
  const { root, files, images } = listing;
  const at = { where: { file: root } };
  const known = [...TASKS.flatMap(formatsOf), ...layoutNames];
  if (layout !== undefined && !known.includes(layout)) {
    const fix = didYouMean(layout, known) ?? `the layouts are ${known.join(', ')}`;
    return new FinetuneError({ code: 'E_INIT_LAYOUT', message: `there is no layout "${layout}"`, fix, ...at });
  }
  const [unread] = fitting;
  if (unread) {
    const message = `the folder is ${unread.format}, because ${unread.why}; this version cannot read that layout for ${taskOf(unread.kind)}`;
    return new FinetuneError({ code: 'E_INIT_LAYOUT', message, fix: `convert it to ${known.join(', ')}`, ...at });
  }
  const endings = new Map<string, number>();
  for (const file of files)
    endings.set(extname(file).toLowerCase(), (endings.get(extname(file).toLowerCase()) ?? 0) + 1);
  const listed = [...endings].sort((a, b) => b[1] - a[1]).slice(0, 5);
  const content = listed.map(([ending, count]) => `${count} ${ending || 'without an ending'}`).join(', ');
  const asked = [task && `--task ${task}`, layout !== undefined && `--layout ${layout}`].filter(Boolean).join(' ');
  const found = all.length > 0 && asked ? `; without ${asked} it can be read ${all.map(describe).join(', or ')}` : '';
  return new FinetuneError({
    code: 'E_INIT_LAYOUT',
    message:
      files.length === 0
        ? 'the folder has no files'
        : `no labels were recognised${asked && ` for ${asked}`}: ${files.length} files, ${images.length} of them images (${content})${found}`,
    fix: await adviceOn(listing),
    ...at,
  });
}
