import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { freeAddresses } from './freeAddresses.js';
import { placesOf } from '../../src/workers/addresses.js';
import { call } from '../../src/workers/handshake.js';
import { joinWorkers, type JoinOptions } from '../../src/workers/join.js';
import { ALONE, type Workers } from '../../src/workers/workers.js';

const join = (list: readonly string[], rank: number, more: Partial<JoinOptions> = {}): Promise<Workers> =>
  joinWorkers({ ...placesOf(list, rank), secret: 'secret', patience: 20, ...more });

async function together(count: number, more: Partial<JoinOptions> = {}): Promise<Workers[]> {
  const list = await freeAddresses(count);
  return Promise.all(list.map((_, rank) => join(list, rank, more)));
}
async function meanOf(workers: Workers, parts: readonly Float32Array[]): Promise<Float32Array> {
  const mean = new Float32Array(parts[0]!.length);
  await workers.mean(parts, mean);
  return mean;
}
const leaveAll = (team: readonly Workers[]) => Promise.all(team.map((workers) => workers.leave()));

describe('workers that train together', () => {
  test('get the same mean of their values, few or many, several at a time', async () => {
    const team = await together(3);
    const own = (length: number, rank: number) => Float32Array.from({ length }, (_, i) => (i + 1) / (rank + 1));
    for (const length of [1, 100_001]) {
      const pairs = await Promise.all(
        team.map((workers) => Promise.all([length, 2].map((many) => meanOf(workers, [own(many, workers.rank)])))),
      );
      for (const [, few] of pairs) expect([...few!].map((value) => Math.round(1000 * value))).toEqual([611, 1222]);
      const means = pairs.map(([many]) => many!);
      expect(means[1]).toEqual(means[0]);
      expect(means[2]).toEqual(means[0]);
      const last = means[0]!.at(-1)!;
      expect(last / ((length * (1 + 1 / 2 + 1 / 3)) / 3)).toBeCloseTo(1, 6);
    }
    await leaveAll(team);
  });

  test('get the same mean however its parts are shared out among them', async () => {
    for (const length of [3, 5000]) {
      const parts = [1, 2, 3, 4].map((part) => Float32Array.from({ length }, (_, i) => (i + part) / (3 * part)));
      const wanted = await meanOf(ALONE, parts);
      for (const shares of [
        [parts.slice(0, 1), parts.slice(1)],
        [parts.slice(0, 2), parts.slice(2, 3), parts.slice(3)],
      ]) {
        const team = await together(shares.length);
        for (const mean of await Promise.all(team.map((workers) => meanOf(workers, shares[workers.rank]!))))
          expect(mean).toEqual(wanted);
        await leaveAll(team);
      }
    }
  });

  test('tell each other values, numbers that are not finite too, and what the first one computes', async () => {
    const team = await together(2);
    const gathered = await Promise.all(team.map((workers) => workers.gather({ rank: workers.rank, score: NaN })));
    for (const all of gathered) expect(all).toEqual([{ rank: 0, score: NaN }, { rank: 1, score: NaN }]); // prettier-ignore
    const found = await Promise.all(team.map((workers) => workers.fromFirst(() => Promise.resolve({ by: workers.rank, loss: Infinity })))); // prettier-ignore
    expect(found).toEqual([{ by: 0, loss: Infinity }, { by: 0, loss: Infinity }]); // prettier-ignore
    const handed = await Promise.all(team.map((workers) => workers.toFirst(Float32Array.of(workers.rank, 0.1))));
    expect(handed).toEqual([[Float32Array.of(0, 0.1), Float32Array.of(1, 0.1)], undefined]);
    const bytes = await Promise.all(team.map((workers) => workers.bytesFromFirst(Uint8Array.of(7, workers.rank))));
    expect([...bytes[1]!]).toEqual([7, 0]);
    await leaveAll(team);
  });

  test('learn why one of them has ended, whether they wait or not', async () => {
    const team = await together(3);
    const lost = {
      code: 'E_WORKERS_LOST',
      message: expect.stringMatching(/^worker 2 .* the image is broken/) as unknown as string,
    };
    const waiting = expect(meanOf(team[0]!, [Float32Array.of(1)])).rejects.toMatchObject(lost);
    await team[2]!.leave('E_IMAGE_DECODE: the image is broken');
    await waiting;
    expect(team[0]!.signal.reason).toMatchObject(lost);
    await expect(team[0]!.gather(1)).rejects.toMatchObject(lost);
    await leaveAll(team);
  });

  test('give up one that shows no sign of life, and only that', async () => {
    const team = await together(2);
    const [first, hanging] = await freeAddresses(2).then((list) =>
      Promise.all([join(list, 0, { silence: 0.001 }), join(list, 1)]),
    );
    await expect(first!.gather(1)).rejects.toMatchObject({
      message: expect.stringMatching(/no sign of life/) as unknown as string,
    });
    expect(team.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    await leaveAll([...team, first!, hanging!]);
  });

  test('may end one after the other when they are done', async () => {
    const team = await together(2);
    await team[1]!.leave();
    await expect(meanOf(team[0]!, [Float32Array.of(1)])).rejects.toMatchObject({ code: 'E_WORKERS_LOST' });
    expect(team[0]!.signal.aborted).toBe(false);
    await team[0]!.leave();
  });
});

describe('a worker that cannot join', () => {
  test('says which workers have not come, and why', async () => {
    const list = await freeAddresses(3);
    const [first, second] = await Promise.allSettled([join(list, 0, { patience: 1 }), join(list, 1, { patience: 1 })]);
    const missing = (text: RegExp) => ({ status: 'rejected', reason: { code: 'E_WORKERS_MISSING', message: expect.stringMatching(text) as unknown as string } }); // prettier-ignore
    expect(first).toMatchObject(missing(/worker 2 \(.*it has not called/));
    expect(second).toMatchObject(missing(/worker 2/));
    await expect(join(list, 2, { patience: 1 })).rejects.toMatchObject({ message: expect.stringMatching(/worker 0 \(.*nobody listens there.*worker 1/) as unknown as string }); // prettier-ignore
  });

  test('is one whose rank another process has', async () => {
    const list = await freeAddresses(3);
    const ended = new AbortController();
    const others = [0, 1].map((rank) => join(list, rank, { signal: ended.signal }));
    const ends = Promise.allSettled(others);
    await new Promise((done) => setTimeout(done, 300)); // they have met
    const [host, port] = list[0]!.split(':') as [string, string];
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    await expect(call(socket, { rank: 1, team: list.join(), secret: 'secret' }, 0)).rejects.toThrow('another process is connected with it as worker 1'); // prettier-ignore
    ended.abort(new Error('enough'));
    await ends;
  });

  test('makes room for one that is started in its place', async () => {
    const list = await freeAddresses(4);
    const [first, last] = [join(list, 0), join(list, 3)];
    for (const rank of [1, 2, 1]) {
      const dying = new AbortController();
      const worker = join(list, rank, { signal: dying.signal });
      await new Promise((done) => setTimeout(done, 300)); // it has met those that are there
      dying.abort(new Error('killed'));
      await expect(worker).rejects.toThrow('killed');
    }
    const team = await Promise.all([first, join(list, 1), join(list, 2), last]);
    for (const all of await Promise.all(team.map((workers) => workers.gather(workers.rank))))
      expect(all).toEqual([0, 1, 2, 3]);
    await leaveAll(team);
  });

  test('is one with another secret or another list of workers', async () => {
    const list = await freeAddresses(2);
    const other = await Promise.allSettled([
      join(list, 0, { patience: 1 }),
      join(list, 1, { patience: 1, secret: '' }),
    ]);
    for (const result of other) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'E_WORKERS_MISSING' } }); // prettier-ignore
  });

  test('is one whose address another process uses', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const list = [`127.0.0.1:${(server.address() as AddressInfo).port}`, '127.0.0.1:1'];
    await expect(join(list, 0)).rejects.toMatchObject({ code: 'E_WORKERS_ADDRESS' });
    await new Promise((done) => server.close(done));
  });

  test('is one that other machines would reach, unless the network is trusted', async () => {
    await expect(join(['10.0.0.1:7000', '10.0.0.2:7000'], 0)).rejects.toMatchObject({ code: 'E_WORKERS_TRUST' });
    await expect(join(['127.0.0.1:7000', '10.0.0.2:7000'], 0)).rejects.toMatchObject({ code: 'E_WORKERS_TRUST' });
  });

  test('is not a stranger that sends anything', async () => {
    const list = await freeAddresses(2);
    const first = join(list, 0);
    const [host, port] = list[0]!.split(':') as [string, string];
    const hello = { protocol: 'tfjs-finetune workers 1', rank: 1, nonce: {} };
    const said = ['x'.repeat(5000), 'null\n', 'GET / HTTP/1.1\r\n\r\n', `${JSON.stringify(hello)}\n{"proof":[]}\n`, randomBytes(1e6)]; // prettier-ignore
    const gone = said.map(async (text) => {
      const stranger = connect(Number(port), host);
      stranger.on('error', () => undefined);
      await once(stranger, 'connect');
      stranger.resume().write(text);
      await new Promise((done) => stranger.once('close', done)); // with an error where the worker did not read all of it
    });
    const team = await Promise.all([first, join(list, 1)]);
    await Promise.all(gone);
    await leaveAll(team);
  });

  test('stops waiting when it is told to', async () => {
    const [first, second] = await freeAddresses(2);
    const controller = new AbortController();
    const waiting = join([first!, second!], 0, { signal: controller.signal });
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });
});
