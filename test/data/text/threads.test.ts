import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { generateText as GenerateText } from '../../../src/data/synthetic/text/generateText.js';
import { runThread } from '../../../src/data/synthetic/text/runThread.js';
import { temporaryFolder } from '../temporaryFolder.js';

const root = temporaryFolder();
const compiled = (file: string): string => new URL(`../../../dist/${file}`, import.meta.url).href;

async function thread(text: string, signal = new AbortController().signal): Promise<unknown[]> {
  const file = join(root, 'thread.mjs');
  await writeFile(file, `import { parentPort, workerData } from 'node:worker_threads';\n${text}`);
  const messages: unknown[] = [];
  await runThread(file, 3, (message) => messages.push(message), signal);
  return messages;
}

describe('a thread', () => {
  test('posts what it finds, until it is done', async () => {
    expect(await thread('for (let i = 0; i < workerData; i++) parentPort.postMessage(i);')).toEqual([0, 1, 2]);
  });

  test('that ends in the middle of its work is an error, not a shorter result', async () => {
    const ends = thread('parentPort.postMessage(0); await null; process.exit(3);');
    await expect(ends).rejects.toMatchObject({
      code: 'E_THREAD_ENDED',
      message: expect.stringContaining('exit code 3'),
    });
  });

  test('throws what was thrown in it, with its problems where these are ours', async () => {
    await expect(thread("throw new TypeError('strange');")).rejects.toThrow('strange');
    const ours = `const { FinetuneError } = await import('${compiled('errors.js')}');
      throw new FinetuneError({ code: 'E_PHOTOS', message: 'no photo', where: { file: 'a.jpg' } });`;
    const problems = [{ code: 'E_PHOTOS', message: 'no photo', where: { file: 'a.jpg' } }];
    await expect(thread(ours)).rejects.toMatchObject({ code: 'E_PHOTOS', problems });
  });

  test('is ended by the signal', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 200);
    await expect(thread('setInterval(() => undefined, 10);', controller.signal)).rejects.toThrow('enough');
    await expect(thread('', controller.signal)).rejects.toThrow('enough');
  });
});

test('a photo that cannot be read is named, however many draw', async () => {
  const { generateText } = (await import(compiled('data/synthetic/text/generateText.js'))) as {
    generateText: typeof GenerateText;
  };
  const photo = join(root, 'photo.jpg');
  await writeFile(photo, 'no photo');
  const part = { root: join(root, 'set'), part: 'train', seed: 5, side: 64, photos: [photo] };
  for (const count of [8, 60]) {
    const problems = [expect.objectContaining({ code: 'E_PHOTOS', where: { file: photo } })];
    await expect(generateText(part, count)).rejects.toMatchObject({ problems });
  }
});
