import { basename } from 'node:path';
import { stringify } from 'yaml';
import { describeForeign, describeUnread } from '../data/formats/detect/detected.js';
import { DROPPED_CLASSES } from './draft.js';
import type { DataFacts } from './facts.js';
import { taskOf, type Recognised } from './recognise.js';
import type { Setting } from './setting.js';

const MOST_CLASSES = 8;

/** What was found and what was decided, in about five lines. */
export function describeFindings(
  { chosen, others }: Recognised,
  facts: DataFacts,
  settings: readonly Setting[],
): string[] {
  const { format, kind, data, why, unread, foreign } = chosen;
  const of = (path: string): unknown => settings.find((setting) => setting.path === path)?.value;
  const alternatives = others.map((other) => `--layout ${other.format} would read it otherwise (${other.why})`);
  const left = [
    ...(unread.length > 0 ? [describeUnread(unread)] : []),
    ...(foreign.length > 0 ? [describeForeign(foreign)] : []),
  ];
  return [
    [`${basename(data.root)} is ${format}: ${why}`, ...left, ...alternatives].join('; '),
    [
      kind === 'text'
        ? `text: ${facts.objects} words`
        : `${taskOf(kind)} of ${describeClasses(facts, kind === 'wholeImage' ? 'images' : 'objects')}`,
      ...describeEmpty(of(DROPPED_CLASSES)),
      ...describeDropped(facts),
    ].join('; '),
    describeSizes(facts),
    describeParts(facts, of('data.split.val'), chosen.images),
    describeModel(of),
  ];
}

function describeClasses({ classes, objects }: DataFacts, noun: string): string {
  const many = classes.length === 1 ? '1 class' : `${classes.length} classes`;
  const frequent = [...classes].sort((a, b) => b.count - a.count);
  const shown = frequent.slice(0, MOST_CLASSES).map(({ name, count }) => `${name} ${count}`);
  const rest = frequent.length - shown.length;
  return `${many}, ${objects} ${noun}: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

const describeEmpty = (dropped: unknown): string[] =>
  Array.isArray(dropped) ? [`class without an image, left out: ${dropped.map((name) => `"${name}"`).join(', ')}`] : [];

const describeDropped = ({ dropped }: DataFacts): string[] =>
  Object.entries(dropped)
    .slice(0, 3)
    .map(([reason, count]) => `${reason}: ${count}`);

function describeSizes({ imageSize, isOneSize, objectSides }: DataFacts): string {
  const size = `images of ${imageSize.join(' × ')} pixels${isOneSize ? '' : ' (median)'}`;
  if (!objectSides) return size;
  const [least, median, most] = objectSides.map((side) => side.toFixed(0));
  return `${size}; objects of ${median} pixels (root of the area; 80 % are of ${least} to ${most})`;
}

function describeParts({ parts, dropped }: DataFacts, held: unknown, all: number): string {
  const used = Object.values(parts).reduce((sum, count) => sum + count, 0);
  const hasDropped = Object.keys(dropped).some((reason) => /^image/.test(reason) && !/has no objects$/.test(reason));
  const others = all > used && !hasDropped ? `; ${all - used} of the ${all} images in the folder are in no part` : '';
  const counts = Object.entries(parts).map(([part, count]) => `${part} ${count}`);
  const how =
    held === undefined ? 'as the data set has them' : 'val is held out by data.split, near-duplicates on one side';
  return `${counts.join(', ')} images, ${how}${others}`;
}

function describeModel(of: (path: string) => unknown): string {
  const text = (path: string): string => stringify(of(path), { collectionStyle: 'flow' }).trim();
  const size = of('data.evaluateSize') === undefined ? text('data.size') : text('data.evaluateSize');
  const head = of('model.head') === undefined ? '' : `${text('model.head')} on `;
  const length = of('train.time') === undefined ? `${text('train.epochs')} epochs` : text('train.time');
  return `${head}${text('model.backbone')} at ${size} pixels from ${text('model.weights')}; ${length} in batches of ${text('train.batch')}`;
}
