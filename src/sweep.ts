import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSeq, parseDocument } from 'yaml';
import { FinetuneError } from './errors.js';
import { writeAtomically } from './files/writeAtomically.js';
import { randomStream } from './random.js';
import { isThere } from './run.js';

export interface SweepOptions {
  /** `key=value,value …`, each value as YAML has it. */
  readonly over: readonly string[];
  /** Runs of each setting, with the recipe's seed, the next one, and so on. */
  readonly seeds: number;
  /** So many settings of the grid, drawn at random; all without it. */
  readonly random?: number | undefined;
}

/** One run of a sweep. */
export interface Member {
  readonly directory: string;
  /** What it sets on top of the recipe: `key=value`. */
  readonly set: readonly string[];
}

/** The runs of a sweep below `directory`: every combination of the values, or some of them, with every seed. All seeds of a setting follow
 *  each other last, so that a sweep cut short has every setting once. Throws E_SWEEP_OVER. */
export function planSweep(directory: string, seed: number, { over, seeds, random }: SweepOptions): Member[] {
  let grid: string[][] = [[]];
  for (const { key, values } of over.map(parseOver))
    grid = grid.flatMap((setting) => values.map((value) => [...setting, `${key}=${value}`]));
  const chosen =
    random === undefined
      ? grid
      : randomStream(seed, 'sweep')
          .shuffle([...grid])
          .slice(0, random);
  return Array.from({ length: seeds }, (_, i) => seed + i).flatMap((one) =>
    chosen.map((setting) => ({
      directory: join(directory, `${setting.map(asName).join('_')}-seed-${one}`),
      set: [...setting, `seed=${one}`],
    })),
  );
}

const asName = (setting: string): string => setting.replace(/[^\w.=-]+/g, '-');

function parseOver(text: string): { key: string; values: string[] } {
  const at = text.indexOf('=');
  const list = parseDocument(`[${text.slice(at + 1)}]`);
  if (at < 1 || list.errors.length > 0 || !isSeq(list.contents) || list.contents.items.length === 0) {
    throw new FinetuneError({
      code: 'E_SWEEP_OVER',
      message: `--over takes key=value,value; got "${text}"`,
      fix: 'for example --over train.lr.value=0.01,0.03 --over train.freeze.stages=0,3',
    });
  }
  const values = (list.toJS() as unknown[]).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return { key: text.slice(0, at), values };
}

/** Notes in the sweep's directory what it is, or goes on with it: the same command finishes what was stopped.
 *  Throws E_SWEEP_OTHER where the directory holds another sweep. */
export async function openSweep(directory: string, plan: object): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'sweep.json');
  const text = `${JSON.stringify(plan, null, 1)}\n`;
  const held = await readFile(file, 'utf8').catch(() => undefined);
  if (held === text) return;
  if (held !== undefined) {
    const fix = 'choose another --out, or repeat the command that began it';
    throw new FinetuneError({ code: 'E_SWEEP_OTHER', message: 'another sweep is there', where: { file }, fix });
  }
  await writeAtomically(file, text);
}

/** Whether a member is done, was stopped, or is yet to begin. */
export async function memberState({ directory }: Member): Promise<'done' | 'begun' | 'new'> {
  if (await isThere(join(directory, 'metrics.json'))) return 'done';
  return (await isThere(directory)) ? 'begun' : 'new';
}
