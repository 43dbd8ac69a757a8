import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { randomStream } from '../../src/random.js';
import { findCheckpoint } from '../../src/train/checkpoint/checkpoint.js';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const slow = process.env.FINETUNE_SLOW === '1';
const root = temporaryFolder();
const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How a process ends, with its exit code, or the signal that ended it. */
const ENDINGS = {
  killed: ['SIGKILL', null, 'SIGKILL'],
  stopped: ['SIGTERM', 143, null],
  interrupted: ['SIGINT', 130, null],
  hungUp: ['SIGHUP', 129, null],
  /** Nobody reads the output, and then it is killed. */
  unread: ['SIGKILL', null, 'SIGKILL'],
  /** No file may have more than 32 KiB, so no checkpoint can be written: what a full disk is. */
  full: [undefined, 1, null],
} as const;
type Ending = keyof typeof ENDINGS;
const [rare, usual] = [['killed'], Object.keys(ENDINGS)] as readonly (readonly Ending[])[];

interface Case {
  readonly name: string;
  readonly task: string;
  readonly engine?: string;
  readonly data: string;
  readonly model: string;
  readonly train: string;
  readonly epochs: number;
  readonly endings: readonly Ending[];
}

const drawn = (images: number, size: number): string =>
  `{ format: synthetic, root: ${join(root, `data${size}`)}, train: { images: ${images} }, val: { images: 4 }, size: ${size}, augment: { flip: 0.5, photometric: false, expand: 0, iouCrop: false } }`;

/** The engine that starts fastest; the first case has the other one. */
const usualEngine = slow ? 'auto' : 'wasm';
/** The endings in turn, 25 of them with FINETUNE_SLOW=1. */
const inTurn = (endings: readonly Ending[], few: readonly Ending[]): Ending[] =>
  slow ? Array.from({ length: 25 }, (_, i) => endings[i % endings.length]!) : [...few];

const cases: readonly Case[] = [
  {
    // A run that goes on takes over some features and computes others in other batches.
    name: 'detection, stages frozen, their features kept on disk',
    task: 'detection',
    data: drawn(12, 64),
    model: `{ backbone: ${slow ? 'mobilenetv2_035' : tinyBackbone} }`,
    train: 'batch: 4, freeze: { stages: 2 }, cache: disk',
    epochs: slow ? 20 : 2,
    endings: inTurn(usual!, ['killed', 'full']),
  },
  {
    name: 'text',
    task: 'text',
    engine: usualEngine,
    data: `{ format: synthetic-text, root: ${join(root, 'words')}, side: 96, train: { images: 6 }, val: { images: 2 }, size: 64, evaluateSize: 96, augment: false }`,
    model: `{ backbone: ${tinyBackbone} }`,
    train: 'batch: 2',
    epochs: slow ? 20 : 2,
    endings: inTurn(usual!, ['interrupted']),
  },
  {
    name: 'classification',
    task: 'classification',
    engine: usualEngine,
    data: `{ format: imageFolder, root: ${join(root, 'classes')}, val: 0.25, size: 32 }`,
    model: `{ backbone: ${tinyBackbone} }`,
    train: 'batch: 2',
    epochs: slow ? 20 : 2,
    endings: inTurn(usual!, ['hungUp']),
  },
  ...(slow
    ? [
        {
          // TensorFlow reorders such a graph in more ways (test/engine/sums).
          name: 'detection, everything trained, more than 200 MB a step',
          task: 'detection',
          data: drawn(24, 204),
          model: '{ backbone: mobilenetv2_100 }',
          train: 'batch: 8',
          epochs: 16,
          endings: inTurn(rare!, []),
        },
      ]
    : []),
];

beforeAll(async () => {
  for (const [name, colour] of Object.entries({ red: '#d03030', green: '#30c040' })) {
    await mkdir(join(root, 'classes', name), { recursive: true });
    for (let i = 0; i < 6; i++) {
      const side = 32 + 4 * i;
      const image = sharp({ create: { width: side, height: 40, channels: 3, background: colour } });
      await image.jpeg().toFile(join(root, 'classes', name, `${i}.jpg`));
    }
  }
});

function start(ending: Ending | undefined, words: readonly string[]): { child: ChildProcess; said: () => string } {
  const node = [process.execPath, command, ...words];
  const env = { ...process.env };
  delete env.TF_NUM_INTRAOP_THREADS; // as many threads as a person has
  const child =
    ending === 'full'
      ? spawn('sh', ['-c', 'ulimit -f 64; exec "$0" "$@"', ...node], { env })
      : spawn(node[0]!, node.slice(1), { env });
  let said = '';
  if (ending === 'unread') {
    child.stdout.destroy();
    child.stderr.once('data', () => child.stderr.destroy());
  } else child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  return { child, said: () => said };
}

async function finish(words: readonly string[]): Promise<void> {
  const { child, said } = start(undefined, words);
  const [code] = (await once(child, 'exit')) as [number];
  expect([code, code === 0 ? '' : said()]).toEqual([0, '']);
}

/** Ends the process when it begins to write its `writes`-th file among the checkpoints, and a little later: in the
 *  middle of writing, of a step, of an evaluation. */
async function endAt(
  directory: string,
  ending: Ending,
  { writes, milliseconds }: { readonly writes: number; readonly milliseconds: number },
  words: readonly string[],
): Promise<void> {
  await mkdir(join(directory, 'checkpoints'), { recursive: true });
  const [signal, ...expected] = ENDINGS[ending];
  const { child, said } = start(ending, words);
  const exit = once(child, 'exit');
  let seen = 0;
  const watcher = watch(join(directory, 'checkpoints'), (_, name) => {
    if (!name?.endsWith('.tmp') || ++seen !== writes || !signal) return;
    setTimeout(() => child.kill(signal), milliseconds);
  });
  const ended = await exit;
  watcher.close();
  expect([ended, said()]).toEqual([expected, expect.stringMatching(ending === 'full' ? 'E_DISK_FULL' : '')]); // not by itself before
  if (expected[0] !== null && signal) expect(said()).toContain('stopped; to resume, run: finetune ');
}

const linesOf = async (directory: string) =>
  (await readFile(join(directory, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .flatMap((line) => (line ? [JSON.parse(line) as { type: 'step' | 'epoch'; step: number; epoch: number }] : []));

/** Nothing is lost but the step in hand: of a run that was stopped not even that. */
async function expectSaved(directory: string, ending: Ending): Promise<void> {
  // last.state.json is a copy for people, which is written later and may be a step behind.
  const step = (await findCheckpoint(directory))?.state.step ?? 0;
  const logged = (await linesOf(directory)).findLast(({ type }) => type === 'step')?.step ?? 0;
  expect([ending, logged - step]).toEqual([
    ending,
    ENDINGS[ending][1] === null || ending === 'full' ? expect.any(Number) : 0,
  ]);
  expect(logged - step).toBeLessThanOrEqual(1);
}

const weights = async (directory: string): Promise<Map<string, unknown>> => {
  const { tensors } = await readSafetensors(join(directory, 'checkpoints', 'last.safetensors'));
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
};

describe.each(cases)(
  'ended and resumed: $name',
  ({ name, task, engine = 'auto', data, model, train, epochs, endings }) => {
    const place = join(root, name.replaceAll(/[ ,]+/g, '-'));
    const [whole, ended] = [join(place, 'whole'), join(place, 'ended')];
    const recipe = join(place, 'recipe.yaml');
    beforeAll(async () => {
      await mkdir(ended, { recursive: true });
      const text = `
task: ${task}
engine: ${engine}
data: ${data}
model: ${model}
train: { epochs: ${epochs}, checkpointEvery: 1, logEvery: 1, ${train} }
report: { images: 0 }
`;
      await writeFile(recipe, text);
      await finish([recipe, '--out', whole]);
    }, 600_000);

    test(`${endings.join(', ')}: the weights are those of a run that never ended early, bit for bit`, async () => {
      const random = randomStream(7, name);
      const words = [recipe, '--out', ended, '--resume'];
      for (const ending of endings) {
        // Each checkpoint makes some events: created, written, renamed, for the weights and for the state.
        const moment = { writes: random.integer(1, slow ? 12 : 4), milliseconds: random.uniform(0, 120) };
        await endAt(ended, ending, moment, words);
        await expectSaved(ended, ending);
      }
      await finish(words);
      const [expected, found] = [await weights(whole), await weights(ended)];
      expect([...found.keys()]).toEqual([...expected.keys()]);
      for (const [name, data] of expected) expect([name, found.get(name)]).toEqual([name, data]);
      const keys = (await linesOf(ended)).map(({ type, step, epoch }) => `${type} ${step} ${epoch}`);
      expect(keys).toEqual((await linesOf(whole)).map(({ type, step, epoch }) => `${type} ${step} ${epoch}`));
    }, 1_800_000);
  },
);
