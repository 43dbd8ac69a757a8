import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { numberCategories } from '../../src/data/categories.js';
import { createDetection } from '../../src/evaluate/createTask.js';
import { entryToJson } from '../../src/predict/entry.js';
import { openModel, type OpenedModel } from '../../src/predict/openModel.js';
import { randomStream } from '../../src/random.js';
import { createBatcher } from '../../src/serve/batches.js';
import { toScene } from '../../src/serve/routes/deepStackForm.js';
import type { openThreadLane as OpenThreadLane } from '../../src/serve/lanes.js';
import type { ServeOptions } from '../../src/serve/options.js';
import { serve, type Serving } from '../../src/serve/serve.js';
import { detectorDefaults } from '../../src/tasks/detection/detectorDefaults.js';
import { createModel } from '../../src/tasks/model.js';
import { saveModel } from '../../src/train/modelWeights.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyTable } from '../tinyBackbone.js';

const folder = temporaryFolder();
const below = (name: string) => join(folder, name);
const weights = below('detector.safetensors');
const TOKEN = 'a secret';
const MOST = { mostBytes: 60_000, mostPixels: 20_000, scoreThreshold: 0.01, workers: 0 } as const;

let photo: Buffer;
let model: OpenedModel;
let opened: Serving;
let guarded: Serving;
const open = (options: ServeOptions) => serve(weights, { ...MOST, port: 0, ...options });

const saveDetector = async (file: string, seed: number): Promise<void> => {
  const options = { ...detectorDefaults.ssdlite, backbone: tinyTable, size: [64, 64], numClasses: 2 } as const;
  await saveModel(createModel(createDetection(options), { categories: numberCategories(['dog', 'cat']), seed }), file);
};

beforeAll(async () => {
  await saveDetector(weights, 1);
  const random = randomStream(1, 'photo');
  const data = Uint8Array.from({ length: 90 * 60 * 3 }, () => random.integer(0, 256));
  photo = await sharp(data, { raw: { width: 90, height: 60, channels: 3 } })
    .jpeg()
    .toBuffer();
  await mkdir(below('photos'));
  await writeFile(below('photos/a.jpg'), photo);
  await writeFile(below('secret.jpg'), photo);
  await symlink(below('secret.jpg'), below('photos/link.jpg'));
  model = await openModel(weights, { scoreThreshold: MOST.scoreThreshold });
  opened = await open({ files: below('photos'), batch: 4 });
  guarded = await open({ host: '0.0.0.0', token: TOKEN, rate: 4 });
});
afterAll(async () => {
  model.dispose();
  await Promise.all([opened.close(), guarded.close()]);
});

const expected = async (file?: string): Promise<unknown> => {
  const predictions = await model.predict(photo);
  return entryToJson({ file: file!, width: 90, height: 60, predictions });
};
/** A form as browsers and curl send it. */
const form = (parts: Readonly<Record<string, string | Buffer>>) => {
  const pieces = Object.entries(parts).flatMap(([name, value]) => [
    Buffer.from(
      `--x\r\nContent-Disposition: form-data; name="${name}"${typeof value === 'string' ? '' : `; filename="${name}.jpg"`}\r\n\r\n`,
    ),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  return { headers, payload: Buffer.concat([...pieces, Buffer.from('--x--\r\n')]) };
};
const bytes = (payload: Buffer, type = 'image/jpeg') => ({ payload, headers: { 'content-type': type } });
const json = (payload: object) => bytes(Buffer.from(JSON.stringify(payload)), 'application/json');

interface Sent {
  readonly method?: string;
  readonly payload?: Buffer;
  readonly headers?: OutgoingHttpHeaders;
}
interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  json(): unknown;
}
/** Sends a request with any headers; fetch would set some of its own. */
const ask = ({ port }: Serving, path: string, { method = 'GET', payload, headers = {} }: Sent = {}): Promise<Got> =>
  new Promise((resolve, reject) => {
    const length = payload && { 'content-length': payload.length };
    const sent = request({ host: '127.0.0.1', port, path, method, headers: { ...length, ...headers } }, (reply) => {
      let body = '';
      reply.on('data', (piece: Buffer) => (body += piece.toString()));
      reply.on('end', () =>
        resolve({ status: reply.statusCode!, headers: reply.headers, body, json: () => JSON.parse(body) as unknown }),
      );
    });
    sent.on('error', reject);
    sent.end(payload);
  });
const post = (url: string, sent: Sent, serving = opened) => ask(serving, url, { method: 'POST', ...sent });
const code = ({ status, body }: Got) => {
  const { error } = JSON.parse(body) as { error: { code: string } | string };
  return [status, typeof error === 'string' ? error : error.code];
};

describe('POST /predict', () => {
  test('answers what predict finds, however the image comes', async () => {
    const base64 = photo.toString('base64');
    expect((await post('/predict', bytes(photo))).json()).toEqual(await expected());
    expect((await post('/predict', form({ image: photo }))).json()).toEqual(await expected('image.jpg'));
    for (const image of [base64, `data:image/jpeg;base64,${base64}`])
      expect((await post('/predict', json({ image }))).json()).toEqual(await expected());
    const { body, headers } = await post('/predict', json({ file: 'a.jpg' }));
    expect(JSON.parse(body)).toEqual(await expected('a.jpg'));
    expect(headers['x-model']).toMatch(/^[0-9a-f]{12}$/);
  });

  test('answers several images in their order, and an error in the place of one that cannot be read', async () => {
    const base64 = photo.toString('base64');
    const images = [{ file: 'a.jpg' }, { file: 'missing.jpg' }, { image: base64 }, { image: 'AAAA' }];
    const entries = (await post('/predict', json({ images }))).json() as Record<string, unknown>[];
    expect(entries.map(({ error }) => (error as { code: string } | undefined)?.code)).toEqual([
      undefined,
      'E_IMAGE_MISSING',
      undefined,
      'E_IMAGE_DECODE',
    ]);
    expect(entries[0]).toEqual(await expected('a.jpg'));
  });

  test('only raises the threshold', async () => {
    const all = (await model.predict(photo)).map((one) => (one as { score: number }).score);
    const middle = all[Math.floor(all.length / 2)]!;
    const { predictions } = (await post(`/predict?threshold=${middle}`, bytes(photo))).json() as { predictions: [] };
    expect(predictions).toHaveLength(all.filter((score) => score >= middle).length);
    expect(code(await post('/predict?threshold=2', bytes(photo)))).toEqual([400, 'E_SERVE_REQUEST']);
  });

  test.each([
    ['no image', { payload: Buffer.alloc(0) }, 400, 'E_SERVE_REQUEST'],
    ['a form without a file', form({ a: 'b' }), 400, 'E_SERVE_REQUEST'],
    ['JSON of another shape', json({ url: 'http://localhost/' }), 400, 'E_SERVE_REQUEST'],
    ['broken JSON', bytes(Buffer.from('{'), 'application/json'), 400, 'E_SERVE_REQUEST'],
    ['text', bytes(Buffer.from('a'), 'text/plain'), 415, 'E_SERVE_TYPE'],
    ['what is no image', bytes(Buffer.from('this is no image')), 422, 'E_IMAGE_DECODE'],
    ['a drawing that is a program', bytes(Buffer.from('<svg width="9" height="9"/>')), 422, 'E_IMAGE_DECODE'],
    ['too many bytes', bytes(Buffer.alloc(MOST.mostBytes + 1)), 413, 'E_SERVE_BYTES'],
    ['too many bytes in a form', form({ a: Buffer.alloc(40_000), b: Buffer.alloc(40_000) }), 413, 'E_SERVE_BYTES'],
    ['a path that leads out', json({ file: '../secret.jpg' }), 400, 'E_SERVE_REQUEST'],
    ['a link that leads out', json({ file: 'link.jpg' }), 404, 'E_IMAGE_MISSING'],
  ])('refuses %s', async (_name, sent, status, expectedCode) => {
    expect(code(await post('/predict', sent))).toEqual([status, expectedCode]);
  });

  test('refuses small files of many pixels before it decodes them, in every format', async () => {
    const flat = sharp({ create: { width: 400, height: 400, channels: 3, background: '#000' } });
    const bitmap = Buffer.alloc(54);
    bitmap.write('BM');
    bitmap.writeUInt32LE(40, 14);
    bitmap.writeInt32LE(30_000, 18);
    bitmap.writeInt32LE(-30_000, 22);
    const bombs = [await flat.clone().png().toBuffer(), await flat.clone().webp().toBuffer(), bitmap];
    for (const bomb of bombs) expect(code(await post('/predict', bytes(bomb)))).toEqual([413, 'E_SERVE_PIXELS']);
    expect(code(await post('/predict', bytes(photo.subarray(0, 700))))).toEqual([422, 'E_IMAGE_DECODE']);
  });
});

describe('the form of DeepStack', () => {
  test('has corners in whole pixels, and min_confidence', async () => {
    const found = (await model.predict(photo)) as unknown as { category: string; score: number; box: number[] }[];
    const least = found[1]!.score;
    const sent = form({ image: photo, min_confidence: String(least), api_key: 'any' });
    for (const route of ['detection', 'custom/mine']) {
      const answer = (await post(`/v1/vision/${route}`, sent)).json() as { success: boolean; predictions: object[] };
      expect(answer.success).toBe(true);
      expect(answer.predictions).toHaveLength(found.filter(({ score }) => score >= least).length);
      const { category, score, box } = found[0]!;
      const [x, y, w, h] = box as [number, number, number, number];
      expect(answer.predictions[0]).toEqual({
        ...{ label: category, confidence: score, y_min: Math.max(0, Math.round(y)), x_min: Math.max(0, Math.round(x)) },
        ...{ y_max: Math.min(60, Math.round(y + h)), x_max: Math.min(90, Math.round(x + w)) },
      });
    }
  });

  test('tells of errors in its own shape', async () => {
    const answer = await post('/v1/vision/detection', form({ image: Buffer.from('no image') }));
    expect([answer.status, answer.json()]).toMatchObject([422, { success: false, code: 'E_IMAGE_DECODE' }]);
    expect((await post('/v1/vision/scene', form({ image: photo }))).json()).toMatchObject({ success: false });
    expect(toScene([{ category: 'cat', categoryId: 1, probability: 0.9 }])).toMatchObject({ label: 'cat' });
  });
});

describe('the server', () => {
  test('tells its model, its numbers and its routes', async () => {
    const get = (url: string) => ask(opened, url);
    expect((await get('/health')).json()).toMatchObject({ status: 'ok', task: 'detection', classes: ['dog', 'cat'] });
    expect((await get('/metrics')).body).toMatch(/^finetune_requests_total\{route="\/predict",status="200"\} \d+$/m);
    const { paths } = (await get('/openapi.json')).json() as { paths: object };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/predict', '/v1/vision/detection', '/health']));
    expect((await get('/')).headers['content-security-policy']).toContain("default-src 'none'");
    expect(code(await get('/nothing'))).toEqual([404, 'E_SERVE_ROUTE']);
  });

  test('answers no page of another origin, and on loopback no other name', async () => {
    const get = (headers: OutgoingHttpHeaders) => ask(opened, '/health', { headers });
    expect(code(await get({ host: 'rebound.example' }))).toEqual([403, 'E_SERVE_HOST']);
    expect(code(await get({ host: 'localhost:8000', origin: 'https://evil.example' }))).toEqual([403, 'E_SERVE_HOST']);
    expect((await get({ host: 'localhost:8000', origin: 'http://localhost:8000' })).status).toBe(200);
  });

  test('needs its token, and a token or a word for other addresses', async () => {
    const send = (headers: object) =>
      post('/predict', { ...bytes(photo), headers: { 'content-type': 'image/jpeg', ...headers } }, guarded);
    expect(code(await send({}))).toEqual([401, 'E_SERVE_TOKEN']);
    expect(code(await send({ authorization: 'Bearer another' }))).toEqual([401, 'E_SERVE_TOKEN']);
    expect((await send({ authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    const deepStack = await post('/v1/vision/detection', form({ image: photo, api_key: TOKEN }), guarded);
    expect(deepStack.status).toBe(200);
    expect(code(await send({ authorization: `Bearer ${TOKEN}` }))).toEqual([429, 'E_SERVE_RATE']);
    await expect(open({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});

describe('over a socket', () => {
  let serving: Serving;
  const changing = below('changing.safetensors');
  beforeAll(async () => {
    await copyFile(weights, changing);
    const options = { ...MOST, port: 0, watchEvery: 20, mostRequests: 3, batch: 2 };
    serving = await serve(changing, options);
  });
  const send = (body: Uint8Array) =>
    fetch(`${serving.url}/predict`, { method: 'POST', body, headers: { 'content-type': 'image/jpeg' } });
  const raw = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      const socket = connect(serving.port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (piece) => (answer += piece.toString()));
      socket.on('close', () => resolve(answer));
    });

  test('what is no HTTP, and headers without end, get an error of the same shape', async () => {
    expect(await raw('nonsense\r\n\r\n')).toContain('E_SERVE_REQUEST');
    expect(await raw(`GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toContain('E_SERVE_HEADERS');
  });

  test('a port that is taken is an error', async () => {
    await expect(serve(changing, { ...MOST, port: serving.port })).rejects.toMatchObject({ code: 'E_SERVE_LISTEN' });
  });

  test('answers or refuses every request when there are too many, and answers again afterwards', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => send(photo)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    for (const answer of answers) if (answer.status === 503) expect(answer.headers.get('retry-after')).toBe('1');
    expect((await send(photo)).status).toBe(200);
  });

  test('goes on with a new model while requests come, and with the old one if the new one is broken', async () => {
    const before = (await send(photo)).headers.get('x-model');
    await saveDetector(changing, 2);
    let after = before;
    while (after === before) {
      const answer = await send(photo);
      expect(answer.status).toBe(200);
      after = answer.headers.get('x-model');
    }
    await writeFile(changing, (await readFile(weights)).subarray(0, 1000));
    const failed = async () =>
      /reloads_total\{result="error"\} 1/.test(await (await fetch(`${serving.url}/metrics`)).text());
    while (!(await failed())) expect((await send(photo)).headers.get('x-model')).toBe(after);
  });

  test('answers the requests in hand when it stops', async () => {
    const answers = [send(photo), send(photo)];
    await raw(`GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`); // these are accepted before it
    await serving.close();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
    await expect(send(photo)).rejects.toThrow();
  });
});

const slow = process.env['FINETUNE_SLOW'] === '1' ? test : test.skip;

slow('a thread runs the model as this one does, and is replaced when it ends', async () => {
  const compiled = new URL('../../dist/serve/lanes.js', import.meta.url).href;
  const { openThreadLane } = (await import(compiled)) as { openThreadLane: typeof OpenThreadLane };
  const { scoreThreshold } = MOST;
  const lane = await openThreadLane({ path: weights, engine: 'onnxruntime', threads: 1, batch: 1, scoreThreshold });
  const alone = await openModel(weights, { engine: 'onnxruntime', scoreThreshold });
  const predictions = await alone.predict(photo);
  alone.dispose();
  expect((await lane.predict([photo]))[0]).toMatchObject({ width: 90, height: 60, predictions });
  const noList = 5 as unknown as Buffer[]; // a mistake that ends the thread
  await expect(lane.predict(noList)).rejects.toMatchObject({ code: 'E_THREAD_ENDED' });
  expect((await lane.predict([photo]))[0]).toMatchObject({ predictions });
  expect((await lane.reload()).sha256).toBe(lane.served.sha256);
  await lane.dispose();
});

describe('batches', () => {
  const gate = () => {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { open, opened };
  };

  test('are made of what waits, and everyone gets the own result', async () => {
    const { open, opened } = gate();
    const sizes: number[] = [];
    const lane = async (images: readonly number[]) => {
      await opened;
      return images.map((image) => image * 10);
    };
    const batcher = createBatcher({
      ...{ lanes: [lane], batch: 4, batchDelay: 0, timeLimit: 1000 },
      onBatch: (size) => sizes.push(size),
    });
    const results = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((image) => batcher.run(image));
    expect(batcher.waiting()).toBe(7);
    open();
    expect(await Promise.all(results)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(sizes).toEqual([1, 1, 4, 1, 1, 1]);
  });

  test('leave out those whose client went away, and end what takes too long', async () => {
    const seen: number[] = [];
    const { open, opened } = gate();
    const lane = async (images: readonly number[]) => {
      seen.push(...images);
      await opened;
      return images;
    };
    const batcher = createBatcher({ lanes: [lane], batch: 1, batchDelay: 0, timeLimit: 30 });
    const controller = new AbortController();
    const slow = [batcher.run(1), batcher.run(2)].map((run) =>
      expect(run).rejects.toMatchObject({ code: 'E_SERVE_TIME' }),
    );
    const gone = batcher.run(3, controller.signal);
    controller.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    await Promise.all(slow);
    open();
    expect(await batcher.run(4)).toBe(4);
    expect(seen).toEqual([1, 2, 4]);
  });
});
