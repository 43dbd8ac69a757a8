import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { numberCategories } from '../../src/data/categories.js';
import { createDetection } from '../../src/evaluate/createTask.js';
import { entryToJson } from '../../src/predict/entry.js';
import { openModel, type OpenedModel } from '../../src/predict/openModel.js';
import type { ProgressEvent } from '../../src/progress.js';
import { randomStream } from '../../src/random.js';
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
const PAGE = 'https://page.example';
const MOST = { mostBytes: 60_000, mostPixels: 20_000, scoreThreshold: 0.01, workers: 0 } as const;

let photo: Buffer;
let model: OpenedModel;
let opened: Serving;
let guarded: Serving;
const open = (options: ServeOptions) => serve(weights, { ...MOST, port: 0, ...options });

const saveDetector = async (file: string, seed: number, classes = ['dog', 'cat']): Promise<void> => {
  const options = { ...detectorDefaults.ssdlite, backbone: tinyTable, size: [64, 64], numClasses: 2 } as const;
  await saveModel(createModel(createDetection(options), { categories: numberCategories(classes), seed }), file);
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
  opened = await open({ files: below('photos'), batch: 4, cors: [PAGE] });
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
const broken = ({ payload, headers }: ReturnType<typeof form>) => ({ headers, payload: payload.subarray(0, -40) });
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
    ['a form without a boundary', bytes(Buffer.from('an image'), 'multipart/form-data'), 400, 'E_SERVE_REQUEST'],
    [
      'a form without an end',
      bytes(Buffer.from('an image'), 'multipart/form-data; boundary=x'),
      400,
      'E_SERVE_REQUEST',
    ],
    ['a form that breaks off', broken(form({ a: Buffer.alloc(99) })), 400, 'E_SERVE_REQUEST'],
    ['a form of too many files', form(Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, Buffer.from('a')]))), 413, 'E_SERVE_BYTES'], // prettier-ignore
    ['a compressed body', { payload: Buffer.from('a'), headers: { 'content-type': 'image/jpeg', 'content-encoding': 'gzip' } }, 415, 'E_SERVE_TYPE'], // prettier-ignore
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
    const broken = await post('/v1/vision/detection', bytes(photo, 'multipart/form-data; boundary=x'));
    expect([broken.status, broken.json()]).toMatchObject([400, { success: false, code: 'E_SERVE_REQUEST' }]);
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

  test('refuses an address that is none in the shape of every error', async () => {
    expect(code(await ask(opened, '/%zz'))).toEqual([400, 'E_SERVE_REQUEST']);
  });

  test('answers no page of another origin, and on loopback no other name', async () => {
    const get = (headers: OutgoingHttpHeaders) => ask(opened, '/health', { headers });
    expect(code(await get({ host: 'rebound.example' }))).toEqual([403, 'E_SERVE_HOST']);
    expect(code(await get({ host: 'localhost:8000', origin: 'https://evil.example' }))).toEqual([403, 'E_SERVE_HOST']);
    expect((await get({ host: 'localhost:8000', origin: 'http://localhost:8000' })).status).toBe(200);
  });

  test('answers pages of the origins that it was told, errors too', async () => {
    const headers = { origin: PAGE, 'access-control-request-method': 'POST' };
    const asked = await ask(opened, '/predict', { method: 'OPTIONS', headers });
    expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([204, PAGE]);
    expect(asked.headers['access-control-allow-headers']).toContain('authorization');
    for (const [body, status] of [[photo, 200] as const, [Buffer.from('no image'), 422] as const]) {
      const answer = await post('/predict', { payload: body, headers: { 'content-type': 'image/jpeg', origin: PAGE } });
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, PAGE]);
    }
    const others = await ask(opened, '/predict', {
      method: 'OPTIONS',
      headers: { ...headers, origin: 'https://evil.example' },
    });
    expect(others.headers['access-control-allow-origin']).toBeUndefined();
    for (const wrong of ['page.example', `${PAGE}/path`])
      await expect(open({ cors: [wrong] })).rejects.toMatchObject({ code: 'E_USAGE' });
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
  let logged = '';
  beforeAll(async () => {
    await copyFile(weights, changing);
    const options = { ...MOST, port: 0, watchEvery: 20, mostRequests: 3, batch: 2 };
    const onProgress = (event: ProgressEvent) => (logged += 'message' in event ? `${event.message}\n` : '');
    serving = await serve(changing, { ...options, onProgress });
  });
  const send = (body: Uint8Array) =>
    fetch(`${serving.url}/predict`, { method: 'POST', body, headers: { 'content-type': 'image/jpeg' } });
  const open = (): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect(serving.port, '127.0.0.1', () => resolve(socket));
    });
  /** All that comes until the connection ends. */
  const answerOn = (socket: Socket): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      socket.on('data', (piece) => (answer += piece.toString()));
      socket.on('close', () => resolve(answer));
    });
  const raw = async (text: string): Promise<string> => {
    const socket = await open();
    socket.write(text);
    return answerOn(socket);
  };
  const head = (length: number) =>
    `POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: ${length}\r\n\r\n`;

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

  test('clients that send slowly hold no place', async () => {
    const slow = await Promise.all(Array.from({ length: 8 }, open));
    for (const socket of slow) socket.write(`${head(50_000)}abc`);
    const receiving = async () => (await fetch(`${serving.url}/metrics`)).text();
    while (!/requests_receiving 8/.test(await receiving())); // all are being read
    expect((await send(photo)).status).toBe(200);
    for (const socket of slow) socket.destroy();
    while (!/requests_receiving 0/.test(await receiving()));
  });

  test('goes on with a new model while requests come, and with the old one if the new one is broken or for other classes', async () => {
    const before = (await send(photo)).headers.get('x-model');
    await saveDetector(changing, 2);
    let after = before;
    while (after === before) {
      const answer = await send(photo);
      expect(answer.status).toBe(200);
      after = answer.headers.get('x-model');
    }
    const failed = async (times: number) =>
      (await (await fetch(`${serving.url}/metrics`)).text()).includes(`reloads_total{result="error"} ${times}`);
    await writeFile(changing, (await readFile(weights)).subarray(0, 1000));
    while (!(await failed(1))) expect((await send(photo)).headers.get('x-model')).toBe(after);
    await saveDetector(changing, 3, ['dog', 'fish']);
    while (!(await failed(2))) expect((await send(photo)).headers.get('x-model')).toBe(after);
    expect(logged).toContain('the model is for detection of dog, fish now, and the server answers for');
  });

  test('answers what was sent before it stops', async () => {
    const sockets = await Promise.all(Array.from({ length: 3 }, open));
    const silent = await open();
    const answers = sockets.map(answerOn);
    for (const socket of sockets) socket.write(Buffer.concat([Buffer.from(head(photo.length)), photo]));
    await serving.close(); // the server has not yet read from these connections
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(await answerOn(silent)).toBe('');
    await expect(send(photo)).rejects.toThrow();
  });
});

const slow = process.env['FINETUNE_SLOW'] === '1' ? test : test.skip;

slow('a thread runs the model as this one does, and is replaced when it ends', async () => {
  const compiled = new URL('../../dist/serve/lanes.js', import.meta.url).href;
  const { openThreadLane } = (await import(compiled)) as { openThreadLane: typeof OpenThreadLane };
  const { scoreThreshold } = MOST;
  const path = below('of-a-thread.safetensors');
  await copyFile(weights, path);
  const lane = await openThreadLane({ path, engine: 'onnxruntime', threads: 1, batch: 1, scoreThreshold });
  const alone = await openModel(weights, { engine: 'onnxruntime', scoreThreshold });
  const predictions = await alone.predict(photo);
  alone.dispose();
  expect((await lane.predict([photo]))[0]).toMatchObject({ width: 90, height: 60, predictions });
  const noList = 5 as unknown as Buffer[]; // a mistake that ends the thread
  await expect(lane.predict(noList)).rejects.toMatchObject({ code: 'E_THREAD_ENDED' });
  expect((await lane.predict([photo]))[0]).toMatchObject({ predictions });
  expect((await lane.reload()).sha256).toBe(lane.served.sha256);
  await rm(path);
  await expect(lane.predict(noList)).rejects.toMatchObject({ code: 'E_THREAD_ENDED' });
  const waiting = lane.predict([photo]); // it cannot be opened until the file is there again
  await setTimeout(500);
  await copyFile(weights, path);
  expect((await waiting)[0]).toMatchObject({ predictions });
  await lane.dispose();
});
