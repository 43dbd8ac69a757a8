import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomStream } from '../../src/random.js';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const slow = process.env.FINETUNE_SLOW === '1';
const root = temporaryFolder();
const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const data = (images: number, size: number): string =>
  `{ format: synthetic, root: ${join(root, `data${size}`)}, train: { images: ${images} }, val: { images: 4 }, size: ${size}, augment: { flip: 0.5, photometric: false, expand: 0, iouCrop: false } }`;
const EPOCHS = slow ? 16 : 2;
const cases = [
  {
    // A run that goes on takes over some features and computes others in other batches.
    name: 'stages frozen, their features kept on disk',
    kills: slow ? 20 : 2,
    backbone: 'mobilenetv2_035',
    data: data(12, 64),
    train: 'batch: 4, freeze: { stages: 2 }, cache: disk',
  },
  {
    // TensorFlow reorders such a graph in more ways (test/engine/sums).
    name: 'everything trained, more than 200 MB a step',
    kills: slow ? 20 : 1,
    backbone: 'mobilenetv2_100',
    data: data(24, 204),
    train: 'batch: 8',
  },
];

function start(directory: string, recipe: string, ...more: string[]): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [command, recipe, '--out', directory, ...more]);
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  return { child, said: () => said };
}

async function finish(directory: string, recipe: string, ...more: string[]): Promise<string> {
  const { child, said } = start(directory, recipe, ...more);
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
async function killAt(
  directory: string,
  recipe: string,
  writes: number,
  milliseconds: number,
  ...more: string[]
): Promise<void> {
  await mkdir(join(directory, 'checkpoints'), { recursive: true });
  const { child } = start(directory, recipe, ...more);
  const exit = once(child, 'exit');
  let seen = 0;
  const watcher = watch(join(directory, 'checkpoints'), (_, name) => {
    if (name?.endsWith('.tmp') && ++seen === writes) setTimeout(() => child.kill('SIGKILL'), milliseconds);
  });
  const [, signal] = (await exit) as [unknown, NodeJS.Signals | null];
  watcher.close();
  expect(signal).toBe('SIGKILL'); // the process must not have ended by itself before
}

describe.each(cases)('killed with SIGKILL and resumed: $name', ({ kills, backbone, data, train }) => {
  const recipe = join(root, `${backbone}.yaml`);
  let whole: Map<string, unknown>;
  beforeAll(async () => {
    const text = `
task: detection
data: ${data}
model: { backbone: ${backbone} }
train: { epochs: ${EPOCHS}, checkpointEvery: 1, ${train} }
report: { images: 0 }
`;
    await writeFile(recipe, text);
    await finish(join(root, backbone, 'whole'), recipe);
    whole = await weights(join(root, backbone, 'whole'));
  }, 600_000);

  test(`${kills} times, the weights are those of a run never killed, bit for bit`, async () => {
    const directory = join(root, backbone, 'killed');
    const random = randomStream(7, 'kill');
    await mkdir(directory);
    for (let kill = 0; kill < kills; kill++) {
      // Each checkpoint makes some events: created, written, renamed, for the weights and for the state.
      await killAt(directory, recipe, random.integer(1, 12), random.uniform(0, 120), '--resume');
    }
    await finish(directory, recipe, '--resume');
    const killed = await weights(directory);
    expect([...killed.keys()]).toEqual([...whole.keys()]);
    for (const [name, data] of whole) expect([name, killed.get(name)]).toEqual([name, data]);
    const lines = (await readFile(join(directory, 'metrics.jsonl'), 'utf8')).trim().split('\n');
    const epochs = lines.flatMap((line) => {
      const { type, epoch } = JSON.parse(line) as { type: string; epoch: number };
      return type === 'epoch' ? [epoch] : [];
    });
    expect(epochs).toEqual(Array.from({ length: EPOCHS }, (_, i) => i + 1));
  }, 1_800_000);
});
