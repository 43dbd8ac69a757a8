import { describe, expect, it } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRawWeights } from '../../src/weights/read.js';
import { openSource } from '../../src/weights/sources/source.js';
import { hostileServers, weights } from './hostileServers.js';

const net = hostileServers();
const { serve, open, fails, expectUntouched } = net;

describe('the shards of a model.json', () => {
  const model = (paths: unknown[]) =>
    JSON.stringify({ format: 'graph-model', modelTopology: {}, weightsManifest: [{ paths, weights: [] }] });

  it.each([
    [['../x.bin']],
    [['..\\x.bin']],
    [['\\\\127.0.0.2\\x.bin']],
    [['//127.0.0.2/x.bin']],
    [['http://127.0.0.2/x.bin']],
    [['%2e%2e/x.bin']],
    [['..%2fx.bin']],
    [['a%2fb.bin']],
    [['/etc/passwd']],
    [['a?b']],
    [['a#b']],
    [['a\0b']],
    [['con']],
    [['']],
    [['.']],
    [['a', 'a/x']],
    [['model.json']],
  ])('%j are refused', async (paths) => {
    await expectRefused(paths);
  });

  it('are not too many', async () => {
    await expectRefused(Array.from({ length: 20_000 }, (_, i) => `${i}.bin`));
  });

  async function expectRefused(paths: string[]): Promise<void> {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.end(model(paths));
    });
    const error = await fails(`${url}/m/model.json`);
    expect(error.code).toBe('E_TFJS_SHARD');
    expect(asked).toEqual(['/m/model.json']);
    await expectUntouched();
  }

  it('come from its folder, with its query', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.end(request.url?.includes('model.json') ? model(['a.bin', 'b/c%20d.bin', 'a.bin']) : 'xyz');
    });
    const { dir } = await open(`${url}/m/model.json?tfjs-format=file`);
    expect(asked).toEqual(['model.json', 'a.bin', 'b/c%20d.bin'].map((name) => `/m/${name}?tfjs-format=file`));
    expect(await readFile(join(dir, 'b', 'c%20d.bin'), 'utf8')).toBe('xyz');
  });

  it('may have no more bytes together than one file', async () => {
    const url = await serve((request, response) => {
      response.end(request.url?.includes('model.json') ? model(['a', 'b', 'c']) : Buffer.alloc(400_000));
    });
    expect((await fails(`${url}/model.json`)).code).toBe('E_WEIGHTS_SIZE');
    await expectUntouched();
  });

  it('that are lists in a list, or no text, are refused', async () => {
    const url = await serve((_, response) => response.end(model([['a'], 1])));
    expect((await open(`${url}/model.json`)).file).toContain('model.json'); // the decoder refuses it
  });
});

it('a download that cannot be read is not kept, and is fetched again', async () => {
  let body = weights.subarray(0, weights.byteLength - 4);
  const url = `${await serve((_, response) => response.end(body))}/x.safetensors`;
  const read = () => readRawWeights(url, { cacheDir: net.cacheDir });
  await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/^E_SAFETENSORS_/) as unknown });
  await expectUntouched();
  body = weights;
  expect((await read()).raw.tensors.size).toBe(1);
});

describe('a secret in a URL', () => {
  it('is in no file of the cache, no name and no message; a run that masked it finds the file again', async () => {
    const url = await serve((request, response) => {
      if (request.url?.includes('/404')) response.writeHead(404);
      response.end(weights);
    });
    const said: string[] = [];
    const onProgress = (event: object) => said.push(JSON.stringify(event));
    const source = await openSource(`${url}/x.safetensors?token=SECRET&v=1`, { cacheDir: net.cacheDir, onProgress });
    expect(source.uri).toBe(`${url}/x.safetensors?token=***&v=***`);
    said.push((await fails(`${url}/404?token=SECRET`)).message);
    said.push((await fails(`${url}/x.safetensors?token=SECRET#sha256=${'0'.repeat(64)}`)).message);
    for (const file of await readdir(net.cacheDir, { recursive: true, withFileTypes: true })) {
      said.push(file.name);
      if (file.isFile()) said.push(await readFile(join(file.parentPath, file.name), 'latin1'));
    }
    expect(said.filter((text) => text.includes('SECRET'))).toEqual([]);

    const masked = await openSource(source.uri, { cacheDir: net.cacheDir });
    expect(masked).toEqual(source);
    await openSource(`${url}/x.safetensors?token=OTHER&v=1`, { cacheDir: net.cacheDir });
    expect((await fails(source.uri)).code).toBe('E_WEIGHTS_URI'); // two files could be meant
    expect((await fails(`${url}/y.safetensors?token=***`)).message).toContain('lacks its secret');
  });
});
