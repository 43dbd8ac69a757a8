import { printable } from '../printable.js';
import type { AnyFound, Entry } from '../predict/entry.js';
import type { OpenedModel } from '../predict/openModel.js';
import { table } from './table.js';

/** Predictions (and classes), and failures, that are listed at most: a person does not read more. */
const [MOST_ROWS, MOST_FAILURES] = [40, 10];

export interface Summary {
  add(entry: Entry): void;
  /** Tables of the predictions and of the classes, and a line with the numbers. */
  text(): string;
  failed(): number;
}

/** Collects what `finetune predict` tells a person. With `rows` it lists the predictions. */
export function createSummary(model: OpenedModel, { rows }: { readonly rows: boolean }): Summary {
  const listed: string[][] = [];
  const classes = new Map<string, { found: number; images: number; scores: number }>();
  const failures: string[] = [];
  let [images, failed, found] = [0, 0, 0];
  let [began, last] = [0, 0]; // after the first image, for which the network was made ready, and after the last one

  const count = (one: AnyFound, isFirst: boolean): void => {
    const name = 'category' in one ? one.category : 'text';
    const row = classes.get(name) ?? { found: 0, images: 0, scores: 0 };
    row.found++;
    row.images += isFirst ? 1 : 0;
    row.scores += scoreOf(one);
    classes.set(name, row);
  };
  const fail = ({ file }: Entry, code: string, message: string): void => {
    failed++;
    if (failures.length < MOST_FAILURES) failures.push(printable(`  ${inOneLine(file)}  ${message}   ${code}`));
  };

  return {
    add(entry) {
      last = performance.now();
      began ||= last;
      if (entry.error) {
        const [problem] = entry.error.problems;
        fail(entry, entry.error.code, problem?.message ?? entry.error.message);
        return;
      }
      images++;
      const counted = model.task === 'classification' ? entry.predictions.slice(0, 1) : entry.predictions;
      found += entry.predictions.length;
      const seen = new Set<string>();
      for (const one of counted) {
        const name = 'category' in one ? one.category : 'text';
        count(one, !seen.has(name));
        seen.add(name);
      }
      if (rows) for (const one of entry.predictions) if (listed.length < MOST_ROWS) listed.push(rowOf(entry.file, one));
    },
    failed: () => failed,
    text() {
      const seconds = (last - began) / 1000;
      const parts: string[] = [];
      if (listed.length > 0) parts.push(table([HEADS[model.task], ...listed]));
      if (rows && found > listed.length) {
        parts.push(`… and ${found - listed.length} more: --json, or --out DIR --csv, lists all of them`);
      }
      if (images > 1 && classes.size > 0) parts.push(`\n${classTable(classes, model.task)}`);
      if (images > 1 && classes.size > MOST_ROWS) parts.push(`… and ${classes.size - MOST_ROWS} more classes`);
      parts.push(`\n${numbers(model, { images, found, failed, seconds, classes: classes.size })}`, ...failures);
      if (failed > failures.length) parts.push(`  … and ${failed - failures.length} more`);
      return parts.join('\n').replace(/^\n/, '');
    },
  };
}

const scoreOf = (one: AnyFound): number => ('probability' in one ? one.probability : one.score);

const HEADS = {
  detection: ['file', 'class', 'score', 'x', 'y', 'width', 'height'],
  classification: ['file', 'class', 'probability'],
  text: ['file', 'score', 'x', 'y', 'width', 'height'],
};

/** A file name that does not break the line that it is shown in. */
const inOneLine = (name: string): string => name.replaceAll('\n', '\\n').replaceAll('\t', '\\t');

/** Characters of a file name in a table at most; a longer one loses its middle. */
const MOST_CHARACTERS = 60;

function inTable(name: string): string {
  const characters = Array.from(inOneLine(name));
  if (characters.length <= MOST_CHARACTERS) return characters.join('');
  const half = MOST_CHARACTERS / 2;
  return `${characters.slice(0, half - 1).join('')}…${characters.slice(-half).join('')}`;
}

function rowOf(path: string, one: AnyFound): string[] {
  const file = inTable(path);
  const score = scoreOf(one).toFixed(3);
  if ('probability' in one) return [file, one.category, score];
  if ('box' in one) return [file, one.category, score, ...one.box.map((value) => value.toFixed(0))];
  const [xs, ys] = [0, 1].map((axis) => one.polygon.map((point) => point[axis]!)) as [number[], number[]];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [file, score, ...[left, top, Math.max(...xs) - left, Math.max(...ys) - top].map((value) => value.toFixed(0))];
}

function classTable(
  classes: ReadonlyMap<string, { found: number; images: number; scores: number }>,
  task: OpenedModel['task'],
): string {
  const rows = [...classes].sort(([, a], [, b]) => b.found - a.found).slice(0, MOST_ROWS);
  if (task === 'classification')
    return table([
      ['most probable class', 'images', 'mean probability'],
      ...rows.map(([name, { found, scores }]) => [name, String(found), (scores / found).toFixed(3)]),
    ]);
  return table([
    ['class', task === 'text' ? 'words' : 'objects', 'images', 'mean score'],
    ...rows.map(([name, { found, images, scores }]) => [
      name,
      String(found),
      String(images),
      (scores / found).toFixed(3),
    ]),
  ]);
}

const CHOSEN_BY = {
  asked: '',
  run: ', the best one on the validation part',
  usual: ', since the model comes without a measured one',
};

function numbers(
  { task, scoreThreshold: { value, chosenBy } }: OpenedModel,
  of: { images: number; found: number; failed: number; seconds: number; classes: number },
): string {
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  const things = { detection: 'object', text: 'word', classification: '' }[task];
  const isAny = value === 0 && chosenBy !== 'asked';
  const least = isAny ? '' : ` (score ≥ ${+value.toFixed(3)}${CHOSEN_BY[chosenBy]})`;
  const what = things === '' ? least : `, ${plural(of.found, things)}${least}`;
  const speed = of.images > 1 && of.seconds > 0 ? `, ${((of.images - 1) / of.seconds).toFixed(1)} images/s` : '';
  const failed = of.failed > 0 ? `; ${plural(of.failed, 'file')} could not be read:` : '';
  return `${plural(of.images, 'image')}${what}${speed}${failed}`;
}
