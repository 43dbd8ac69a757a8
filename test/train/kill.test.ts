import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomStream } from '../../src/random.js';
import { readSafetensors } from '../../src/weights/safetensors.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const slow = process.env.FINETUNE_SLOW === '1';
const root = temporaryFolder();
const recipe = join(root, 'recipe.yaml');
const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const KILLS = slow ? 20 : 2;
/** Frozen stages and a cache on disk, so that a run that goes on takes over some features and computes others in other batches. */
const text = `
task: detection
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 12 }, val: { images: 4 }, size: 64, augment: { flip: 0.5, photometric: false, expand: 0, iouCrop: false } }
model: { backbone: mobilenetv2_035 }
train: { epochs: ${slow ? 16 : 2}, batch: 4, checkpointEvery: 1, freeze: { stages: 2 }, cache: disk }
report: { images: 0 }
`;

function start(directory: string, ...more: string[]): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [command, recipe, '--out', directory, ...more]);
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  return { child, said: () => said };
}

async function finish(directory: string, ...more: string[]): Promise<string> {
  const { child, said } = start(directory, ...more);
  const [code] = (await once(child, 'exit')) as [number];
  expect([code, said()]).toEqual([0, expect.any(String)]);
  return said();
}

const weights = async (directory: string): Promise<Map<string, unknown>> => {
  const { tensors } = await readSafetensors(join(directory, 'checkpoints', 'last.safetensors'));
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
};

/** Kills when the process begins to write its `writes`-th file among the checkpoints, and a little later: in the middle of writing,
 *  of a step, of an evaluation. */
async function killAt(directory: string, writes: number, milliseconds: number, ...more: string[]): Promise<void> {
  await mkdir(join(directory, 'checkpoints'), { recursive: true });
  const { child } = start(directory, ...more);
  const exit = once(child, 'exit');
  let seen = 0;
  const watcher = watch(join(directory, 'checkpoints'), (_, name) => {
    if (name?.endsWith('.tmp') && ++seen === writes) setTimeout(() => child.kill('SIGKILL'), milliseconds);
  });
  const [, signal] = (await exit) as [unknown, NodeJS.Signals | null];
  watcher.close();
  expect(signal).toBe('SIGKILL'); // and not at its end before that
}

describe('killed with SIGKILL and resumed', () => {
  let whole: Map<string, unknown>;
  beforeAll(async () => {
    await writeFile(recipe, text);
    await finish(join(root, 'whole'));
    whole = await weights(join(root, 'whole'));
  }, 300_000);

  test(`${KILLS} times, the weights are those of a run never killed, bit for bit`, async () => {
    const directory = join(root, 'killed');
    const random = randomStream(7, 'kill');
    await mkdir(directory);
    for (let kill = 0; kill < KILLS; kill++) {
      // Each checkpoint makes some events: created, written, renamed, for the weights and for the state.
      await killAt(directory, random.integer(1, 12), random.uniform(0, 120), '--resume');
    }
    await finish(directory, '--resume');
    const killed = await weights(directory);
    expect([...killed.keys()]).toEqual([...whole.keys()]);
    for (const [name, data] of whole) expect([name, killed.get(name)]).toEqual([name, data]);
    const lines = (await readFile(join(directory, 'metrics.jsonl'), 'utf8')).trim().split('\n');
    const epochs = lines.flatMap((line) => {
      const { type, epoch } = JSON.parse(line) as { type: string; epoch: number };
      return type === 'epoch' ? [epoch] : [];
    });
    expect(epochs).toEqual(Array.from({ length: slow ? 16 : 2 }, (_, i) => i + 1));
  }, 900_000);
});
