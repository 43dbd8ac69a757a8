import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, watch } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { openEngines } from '../engines.js';
import { tinyBackbone } from '../tinyBackbone.js';

const root = temporaryFolder();
const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const KILLS = 20;
/** Seconds that the other workers may take to end. */
const MOST_SECONDS = 15;

const hasTensorflow = (await openEngines()).some(({ name }) => name === 'tensorflow');
const isSlow = process.env['FINETUNE_SLOW'] === '1' && process.platform === 'linux' && hasTensorflow;

/** The processes that a process has started, in their order. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** Runs `finetune launch` with some workers, and kills one of them when the run begins to write its next checkpoint and a
 *  little later, as often as told. Returns the seconds that the others took to end, by kill. */
async function launch(recipe: string, directory: string, kills: number, more = ['--local', '2']): Promise<number[]> {
  const checkpoints = join(directory, 'checkpoints');
  await mkdir(checkpoints, { recursive: true });
  const words = ['launch', recipe, ...more, '--max-restarts', String(kills), '--out', directory, '--resume'];
  const child = spawn(process.execPath, [command, ...words]);
  const [took, killed] = [[] as number[], new Set<number>()];
  let [said, isBusy] = ['', false];
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const killNext = async () => {
    const workers = childrenOf(child.pid!);
    if (isBusy || took.length === kills || workers.length < 2 || workers.some((pid) => killed.has(pid))) return;
    isBusy = true;
    await setTimeout((37 * took.length) % 200);
    const [victim, ...others] = took.length % 2 === 0 ? workers : workers.toReversed();
    process.kill(victim!, 'SIGKILL');
    killed.add(victim!);
    const began = performance.now();
    while (others.some(isAlive)) await setTimeout(20);
    took.push((performance.now() - began) / 1000);
    isBusy = false;
  };
  const watcher = watch(checkpoints, (_, name) => void (name?.endsWith('.tmp') && killNext()));
  const [code] = (await once(child, 'exit')) as [number];
  watcher.close();
  expect([code, code === 0 ? '' : said]).toEqual([0, '']);
  return took;
}

/** A recipe file for so many epochs on drawn images. */
async function drawn(epochs: number): Promise<string> {
  const recipe = join(root, `drawn-${epochs}.yaml`);
  await writeFile(
    recipe,
    `
task: detection
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 12 }, val: { images: 2 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { batch: 2, epochs: ${epochs}, checkpointEvery: 1 }
report: { images: 0 }
`,
  );
  return recipe;
}
const tensorsOf = async (name: string) =>
  (await readSafetensors(join(root, name, 'checkpoints', 'last.safetensors'))).tensors;

(isSlow ? test : test.skip)(
  `a run whose workers are killed ${KILLS} times ends with the bytes of one that nobody disturbed`,
  async () => {
    const recipe = await drawn(2 * KILLS);
    await launch(recipe, join(root, 'whole'), 0);
    const took = await launch(recipe, join(root, 'killed'), KILLS);
    console.log(`the other worker ended after ${Math.max(...took).toFixed(1)} s at most`);
    expect(took).toHaveLength(KILLS);
    expect(Math.max(...took)).toBeLessThan(MOST_SECONDS);
    expect(await tensorsOf('killed')).toEqual(await tensorsOf('whole'));
  },
  1_200_000,
);

(isSlow ? test : test.skip)(
  'a run of three workers that goes on with two, and then with one, ends with the same bytes',
  async () => {
    const recipe = await drawn(8);
    const three = ['--local', '3'];
    await launch(recipe, join(root, 'three'), 0, three);
    expect(await launch(recipe, join(root, 'fewer'), 2, [...three, '--elastic'])).toHaveLength(2);
    expect(await tensorsOf('fewer')).toEqual(await tensorsOf('three'));
  },
  600_000,
);
