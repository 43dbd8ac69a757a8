import { resolve } from 'node:path';
import { convert as convertData, type Converted } from '../convert/convert.js';
import type { CategoryChanges } from '../data/categoryChanges.js';
import { describeUnread } from '../data/formats/detect/detected.js';
import type { Dropped, PartName } from '../data/sample.js';
import { printable } from '../printable.js';
import { UsageError } from './usage.js';
import { watched } from './watched.js';

export interface ConvertCommand {
  readonly to: string;
  readonly out: string;
  readonly images: string;
  /** old=new */
  readonly map: readonly string[];
  readonly drop: readonly string[];
  readonly skipBroken?: boolean;
  readonly json?: boolean;
}

/** `finetune convert`: a data set in another layout. The last line on stdout is its folder. */
export async function convert(
  source: string,
  { to, out, images, map, drop, skipBroken, json }: ConvertCommand,
): Promise<void> {
  if (images !== 'copy' && images !== 'link' && images !== 'none')
    throw new UsageError(`--images must be copy, link or none; got "${images}"`);
  const changes = changesOf(map, drop);
  const converted = await watched(
    ({ signal, onProgress }) =>
      convertData({
        source,
        to,
        out: resolve(out),
        images,
        changes,
        skipBroken,
        signal,
        onProgress: (done, total) => onProgress({ phase: 'data', done, total }),
      }),
    'stopping: nothing is left of what was written',
  );
  if (json) console.log(JSON.stringify(converted));
  else console.error(printable(describe(converted)));
  console.log(converted.out);
}

function changesOf(map: readonly string[], drop: readonly string[]): CategoryChanges | undefined {
  if (map.length === 0 && drop.length === 0) return undefined;
  const entries = map.map((text): [string, string] => {
    const at = text.indexOf('=');
    const [from, into] = [text.slice(0, at), text.slice(at + 1)];
    if (at > 0 && into !== '') return [from, into];
    throw new UsageError(`--map takes old=new; got "${text}"`);
  });
  return { map: Object.fromEntries(entries), drop };
}

function describe({ source, to, parts, categories, losses, dropped, unread }: Converted): string {
  const counts = Object.entries(parts).map(
    ([part, { images, objects }]) => `  ${part}: ${images} images, ${objects} objects`,
  );
  const corrected = (Object.entries(dropped) as [PartName, Dropped][]).flatMap(([part, reasons]) =>
    Object.entries(reasons).map(([reason, count]) => `  ${part}: ${reason}: ${count}`),
  );
  return [
    `${source} was written as ${to}, with ${categories.length} categories: ${categories.slice(0, 20).join(', ')}${categories.length > 20 ? ', …' : ''}`,
    ...counts,
    ...(unread.length > 0 ? [describeUnread(unread)] : []),
    ...(corrected.length > 0 ? ['left out or corrected when it was read:', ...corrected] : []),
    ...(losses.length > 0
      ? [`what ${to} cannot express:`, ...losses.map(({ what, count }) => `  ${what}: ${count}`)]
      : unread.length > 0
        ? []
        : ['nothing was lost']),
  ].join('\n');
}
