/** Loads `finetune serve` with clients that compare every answer with `finetune predict`, hostile clients beside them, and
 *  prints latencies, images per second, lost and wrong answers, and memory.
 *
 *      node test/bench/serve.mjs RUN IMAGES [--seconds 60] [--clients 8] [--hostile] [--configs "workers=0;workers=2;workers=2,batch=4"]
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const FINETUNE = fileURLToPath(new URL('../../bin/finetune.mjs', import.meta.url));
const MOST_IMAGES = 40;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '8' },
    configs: { type: 'string', default: 'workers=0;workers=2;workers=2,batch=4' },
    hostile: { type: 'boolean', default: false },
  },
});
const [run, folder] = positionals;
const files = readdirSync(folder)
  .filter((name) => /\.(jpe?g|png)$/i.test(name))
  .slice(0, MOST_IMAGES)
  .map((name) => join(folder, name));

const predicted = spawnSync(
  process.execPath,
  [FINETUNE, 'predict', run, ...files, '--json', '--engine', 'onnxruntime'],
  {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  },
);
const expected = JSON.parse(predicted.stdout);
/** A small file that unpacks to 256 million pixels. */
const bomb = await sharp({ create: { width: 16000, height: 16000, channels: 3, background: '#000' } })
  .png()
  .toBuffer();
const images = files.map((file) => readFileSync(file));

/** Most by which numbers of a batch may differ from those of single images. */
const [SCORE, PIXELS] = [1e-4, 0.5];
function isSame(answer, { width, height, predictions }, isExact) {
  if (isExact) return JSON.stringify(answer) === JSON.stringify({ width, height, predictions });
  return (
    answer.predictions.length === predictions.length &&
    predictions.every((right, i) => {
      const given = answer.predictions[i];
      const boxes = right.box ?? right.polygon?.flat() ?? [];
      const givenBoxes = given.box ?? given.polygon?.flat() ?? [];
      return (
        given.category === right.category &&
        Math.abs((given.score ?? given.probability) - (right.score ?? right.probability)) <= SCORE &&
        boxes.every((value, k) => Math.abs(value - givenBoxes[k]) <= PIXELS)
      );
    })
  );
}

const send = (port, body, agent, headers = {}) =>
  new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: '/predict',
        method: 'POST',
        agent,
        headers: { 'content-type': 'image/jpeg', ...headers },
      },
      (reply) => {
        let text = '';
        reply.on('data', (piece) => (text += piece));
        reply.on('end', () => resolve({ status: reply.statusCode, text }));
        reply.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });

/** A client that sends one image after the other, and compares each answer. */
async function client(port, first, until, results, isExact) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = first; performance.now() < until; i++) {
    const index = i % images.length;
    const start = performance.now();
    try {
      const { status, text } = await send(port, images[index], agent);
      if (status === 503) results.busy++;
      else if (status !== 200 || !isSame(JSON.parse(text), expected[index], isExact)) results.wrong++;
      else results.times.push(performance.now() - start);
    } catch {
      results.lost++;
    }
  }
  agent.destroy();
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Clients that mean harm: each sends one kind of it, again and again. */
async function hostile(port, until, seen) {
  const note = (kind) => (seen[kind] = (seen[kind] ?? 0) + 1);
  const status = (kind, body, headers) => async () => {
    const answer = await send(port, body, undefined, headers);
    note(`${kind}: ${answer.status}`);
  };
  const socket = (kind, write, ms) => async () => {
    const one = connect(port, '127.0.0.1');
    one.on('error', () => undefined);
    write(one);
    await pause(ms);
    one.destroy();
    note(kind);
  };
  const slow = (one) => {
    one.write(
      'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n',
    );
    const timer = setInterval(() => (one.destroyed ? clearInterval(timer) : one.write('x')), 100);
  };
  const kinds = [
    status('bomb', bomb),
    status('broken image', images[0].subarray(0, 500)),
    status('no image', Buffer.from('this is no image')),
    status('huge header', images[0], { x: 'a'.repeat(20_000) }),
    status('too many bytes', Buffer.alloc(17 * 2 ** 20)),
    socket('slow client', slow, 3000),
    socket('slow client', slow, 3000),
    socket(
      'aborted upload',
      (one) =>
        one.write(
          `POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 90000\r\n\r\nabc`,
        ),
      50,
    ),
    socket('nonsense', (one) => one.write('\0\x01\x02 nonsense\r\n\r\n'), 50),
  ];
  const repeat = async (attack) => {
    while (performance.now() < until) {
      await attack().catch(() => note('connection closed'));
      await pause(100);
    }
  };
  await Promise.all(kinds.map(repeat));
}

const memoryOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
/** Seconds of processors that a process has used; Linux counts in hundredths. */
const processorSeconds = (pid) => {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100;
};
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

async function measure(config) {
  const flags = config.split(',').flatMap((part) => {
    const [name, value] = part.split('=');
    return [`--${name}`, value];
  });
  const server = spawn(process.execPath, [FINETUNE, 'serve', run, '--port', '0', '--engine', 'onnxruntime', ...flags], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise((resolve) => createInterface(server.stdout).once('line', resolve));
  const { port } = new URL(url);
  const isExact = !/batch=/.test(config);
  const warm = { times: [], wrong: 0, lost: 0, busy: 0 };
  await Promise.all(Array.from({ length: 4 }, (_, i) => client(port, i, performance.now() + 3000, warm, isExact)));
  const results = { times: [], wrong: 0, lost: 0, busy: 0 };
  const seen = {};
  const memory = [memoryOf(server.pid)];
  const timer = setInterval(() => memory.push(memoryOf(server.pid)), 1000);
  const used = processorSeconds(server.pid);
  const start = performance.now();
  const until = start + Number(values.seconds) * 1000;
  const clients = Array.from({ length: Number(values.clients) }, (_, i) =>
    client(port, i * 5, until, results, isExact),
  );
  await Promise.all([...clients, ...(values.hostile ? [hostile(port, until, seen)] : [])]);
  const seconds = (performance.now() - start) / 1000;
  clearInterval(timer);
  const processorMs = ((processorSeconds(server.pid) - used) * 1000) / results.times.length;
  const last = Array.from({ length: 4 }, (_, i) => send(port, images[i % images.length]));
  await pause(50); // they are in hand now
  server.kill('SIGTERM');
  const atStop = (await Promise.allSettled(last)).map(({ value }) => value?.status ?? 'lost');
  const exitCode = await new Promise((resolve) => server.once('exit', resolve));
  const sorted = results.times.sort((one, other) => one - other);
  const third = Math.max(1, Math.floor(memory.length / 3));
  return {
    config,
    imagesPerSecond: Number((sorted.length / seconds).toFixed(1)),
    processorMs: Number(processorMs.toFixed(1)), // of an image: on a busy machine it says more than images per second
    ...{ p50: at(sorted, 0.5), p95: at(sorted, 0.95), p99: at(sorted, 0.99) },
    ...{ answers: sorted.length, wrong: results.wrong, lost: results.lost, busy: results.busy },
    memory: { start: memory[0], third: memory[third], end: memory.at(-1), most: Math.max(...memory) },
    ...{ atStop, exitCode, hostile: seen },
  };
}

for (const config of values.configs.split(';')) console.log(JSON.stringify(await measure(config)));
