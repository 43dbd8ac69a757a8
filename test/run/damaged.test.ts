import { expect, test } from '@jest/globals';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEngineRecord } from '../../src/engine/install/record.js';
import { FinetuneError } from '../../src/errors.js';
import { tryLock } from '../../src/files/lock.js';
import { parseRecipe } from '../../src/recipe/load.js';
import { openRunDirectory } from '../../src/run/directory.js';
import { asPlanned } from '../../src/run/plan.js';
import { findCheckpoint } from '../../src/train/checkpoint/checkpoint.js';
import { verifyFreeze } from '../../src/train/checkpoint/receipt.js';
import { firstState } from '../../src/train/checkpoint/state.js';
import { openLog } from '../../src/train/log/log.js';
import { compareRuns } from '../../src/trials/compareRuns.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

const root = temporaryFolder();
/** What a disk, or a person, leaves of a JSON file. */
const contents = [
  '',
  'null',
  '3',
  '[]',
  '"text"',
  '{}',
  '{"a":',
  '[null]',
  '{"tensors":null}',
  '{"asked":1,"found":2}',
  '{"metric":null}',
];
const recipe = await parseRecipe('task: detection\ndata: { format: synthetic }\n', 'test.yaml');

/** Every file that is read back, with what reads it. */
const files: readonly [file: string, read: (directory: string) => unknown][] = [
  ['freeze.json', (directory) => verifyFreeze(directory)],
  ['plan.json', (directory) => asPlanned(directory, recipe)],
  ['metrics.json', (directory) => compareRuns([directory])],
  ['checkpoints/last.safetensors', (directory) => findCheckpoint(directory)],
];

test.each(files)('%s that is damaged is an error with its place', async (file, read) => {
  for (const content of contents) {
    const directory = await mkdtemp(join(root, 'run-'));
    await mkdir(join(directory, 'checkpoints'));
    await writeFile(join(directory, file), content);
    const error: unknown = await Promise.resolve(read(directory)).catch((thrown: unknown) => thrown);
    expect([content, error]).toEqual([content, expect.any(FinetuneError)]);
    const code = file.startsWith('checkpoints') ? 'E_CHECKPOINT_DAMAGED' : 'E_FILE_DAMAGED';
    expect(error).toMatchObject({
      code,
      problems: [{ where: { file: join(directory, file) }, fix: expect.any(String) }],
    });
  }
});

test('damaged lines of metrics.jsonl are left out, and a run resumes', async () => {
  const directory = await mkdtemp(join(root, 'run-'));
  const line = {
    type: 'step',
    step: 1,
    epoch: 0.5,
    loss: 2,
    parts: { box: null },
    lr: 0.1,
    gradientNorm: 1,
    imagesPerSecond: 9,
    waiting: 0,
  };
  const lines = [
    JSON.stringify(line),
    'null',
    '3',
    '[]',
    '"x"',
    '{}',
    '{"type":"epoch"}',
    '{"type":"step","step":1,"epoch":1}',
    '{"type":"step","st',
  ];
  await writeFile(join(directory, 'metrics.jsonl'), lines.join('\n'));
  const log = await openLog(directory, { resumeFrom: { ...firstState('x'), step: 4, epoch: 2 } });
  log.close();
  expect(log.lines).toEqual([line]);
});

test('a damaged lock says so, and a damaged record of the engine counts as none', async () => {
  const directory = await mkdtemp(join(root, 'run-'));
  for (const content of ['', 'null', '{}']) {
    await writeFile(join(directory, 'run.lock'), content);
    await expect(openRunDirectory(directory)).rejects.toMatchObject({
      code: 'E_RUN_LOCKED',
      message: expect.stringContaining('run.lock is damaged'),
    });
    expect(await tryLock(join(directory, 'run.lock'))).toMatchObject({ pid: 0 });
  }
  const machine = { env: { XDG_CACHE_HOME: directory }, platform: 'linux', arch: 'x64' } as const;
  await mkdir(join(directory, 'tfjs-finetune'));
  for (const content of [...contents, '{"engine":"tensorflow","failed":[null],"at":"2026-01-01"}']) {
    await writeFile(join(directory, 'tfjs-finetune', 'engine-linux-x64.json'), content);
    expect([content, readEngineRecord(machine)]).toEqual([content, undefined]);
  }
});
