import { expect, test } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { watchModel } from '../../src/serve/modelFile.js';
import { temporaryFolder } from '../data/temporaryFolder.js';

test('weights of a run are noticed, also while the server opens, and metrics that come after them, which have the threshold', async () => {
  const run = temporaryFolder();
  const [weights, metrics] = [join(run, 'checkpoints', 'best.safetensors'), join(run, 'metrics.json')];
  await mkdir(join(run, 'checkpoints'));
  await writeFile(weights, 'the first');
  const start = await watchModel(run, 5);
  const noticed: string[] = [];
  let written = '';
  const write = async (file: string, content: string): Promise<void> => {
    written = content;
    await writeFile(file, content);
  };
  const notices = async (content: string): Promise<void> => {
    while (noticed.at(-1) !== content) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await write(weights, 'weights while the server opens');
  const stop = start(() => Promise.resolve(void noticed.push(written)));
  await notices('weights while the server opens');
  await write(metrics, '{"val": {}}');
  await notices('{"val": {}}');
  await write(weights, 'newer weights');
  await notices('newer weights');
  await write(metrics, '{"val": {"threshold": 0.4}}');
  await notices('{"val": {"threshold": 0.4}}');
  stop();
  expect(noticed.length).toBeGreaterThanOrEqual(4);
});
