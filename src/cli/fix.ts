import { resolve } from 'node:path';
import { describeChange, repair, REPAIRS_FILE, type Change } from '../convert/repair.js';
import { printable } from '../printable.js';
import { watched } from './watched.js';

export interface FixCommand {
  readonly out: string;
  readonly json?: boolean;
}

/** Changes of either kind that are printed; the file in the copy lists all. */
const MOST_ROWS = 20;

/** `finetune check --fix`: a repaired copy of a data set. The changes go to stderr; the JSON and the folder to stdout. */
export async function fix(source: string, { out, json = false }: FixCommand): Promise<void> {
  const repaired = await watched(
    ({ signal, onProgress }) =>
      repair({
        source,
        out: resolve(out),
        signal,
        onProgress: (done, total) => onProgress({ phase: 'data', done, total }),
      }),
    'stopping: nothing is left of what was written',
  );
  const { changes, parts, losses } = repaired;
  print('corrected', changes);
  print('left out', changes);
  for (const { what, count } of losses) console.error(printable(`the layout cannot express: ${what}: ${count}`));
  for (const [part, { images, objects }] of Object.entries(parts))
    console.error(`${part}: ${images} images, ${objects} objects`);
  console.error(changes.length === 0 ? 'nothing had to be repaired' : `${REPAIRS_FILE} lists all changes`);
  if (json) console.log(JSON.stringify(repaired));
  console.log(repaired.out);
}

function print(kind: Change['kind'], changes: readonly Change[]): void {
  const own = changes.filter((change) => change.kind === kind);
  if (own.length === 0) return;
  console.error(`${kind}: ${own.length}`);
  for (const change of own.slice(0, MOST_ROWS)) console.error(`  ${printable(describeChange(change))}`);
  if (own.length > MOST_ROWS) console.error(`  … and ${own.length - MOST_ROWS} more`);
}
