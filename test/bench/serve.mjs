/** Loads `finetune serve` with clients that compare every answer with `finetune predict`, hostile clients beside them, and
 *  prints latencies, images per second, lost and wrong answers, and memory over time. Several configurations take turns in
 *  rounds, so that a slow moment of the machine affects all of them; `ratio` compares each with the first, as the median of
 *  the rounds' ratios.
 *
 *      node test/bench/serve.mjs RUN IMAGES [--seconds 60] [--rounds 6] [--clients 8] [--hostile] \
 *        [--configs "workers=0;workers=2;workers=2,batch=4"]
 *
 *  Seconds are those of each configuration. A run of half an hour: --seconds 1800 --rounds 1 --hostile --configs "workers=2".
 *  Ends with exit code 1 if an answer was wrong or lost, or if a server ended.
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
    rounds: { type: 'string', default: '6' },
    configs: { type: 'string', default: 'workers=0;workers=2;workers=2,batch=4' },
    hostile: { type: 'boolean', default: false },
  },
});
const [run, folder] = positionals;
const files = readdirSync(folder)
  .filter((name) => /\.(jpe?g|png)$/i.test(name))
  .slice(0, MOST_IMAGES)
  .map((name) => join(folder, name));

const asked = [FINETUNE, 'predict', run, ...files, '--json', '--engine', 'onnxruntime'];
const predicted = spawnSync(process.execPath, asked, { encoding: 'utf8', maxBuffer: 1 << 28 });
const expected = JSON.parse(predicted.stdout);
/** A small file that unpacks to 256 million pixels. */
const bomb = await sharp({ create: { width: 16000, height: 16000, channels: 3, background: '#000' } })
  .png()
  .toBuffer();
const images = files.map((file) => readFileSync(file));

/** Most by which numbers may differ from those of `predict`, which runs other batches with other threads. */
const [SCORE, PIXELS] = [1e-4, 0.5];
function isSame(answer, { width, height, predictions }) {
  const isClose = (right, i) => {
    const given = answer.predictions[i];
    const [boxes, givenBoxes] = [right, given].map((one) => one.box ?? one.polygon?.flat() ?? []);
    return (
      given.category === right.category &&
      Math.abs((given.score ?? given.probability) - (right.score ?? right.probability)) <= SCORE &&
      boxes.length === givenBoxes.length &&
      boxes.every((value, k) => Math.abs(value - givenBoxes[k]) <= PIXELS)
    );
  };
  return (
    answer.width === width &&
    answer.height === height &&
    answer.predictions.length === predictions.length &&
    predictions.every(isClose)
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
async function client(port, first, until, results) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = first; performance.now() < until; i++) {
    const index = i % images.length;
    const start = performance.now();
    try {
      const { status, text } = await send(port, images[index], agent);
      if (status === 503) results.busy++;
      else if (status !== 200 || !isSame(JSON.parse(text), expected[index])) results.wrong++;
      else results.times.push(performance.now() - start);
    } catch (error) {
      results.lost++;
      results.lostBy[error.code] = (results.lostBy[error.code] ?? 0) + 1;
      await pause(20); // a server that has ended refuses at once
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

const memoryOf = (pid) =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
/** Seconds of processors that a process has used; Linux counts in hundredths. */
const processorSeconds = (pid) => {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100;
};
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(1);
const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];

const none = () => ({ times: [], wrong: 0, lost: 0, lostBy: {}, busy: 0 });

async function start(config) {
  const flags = config.split(',').flatMap((part) => {
    const [name, value] = part.split('=');
    return [`--${name}`, value];
  });
  const engine = /engine=/.test(config) ? [] : ['--engine', 'onnxruntime'];
  const child = spawn(process.execPath, [FINETUNE, 'serve', run, '--port', '0', ...engine, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const line = new Promise((resolve) => createInterface(child.stdout).once('line', resolve));
  const url = await Promise.race([line, exited.then((code) => Promise.reject(new Error(`the server ended: ${code}`)))]);
  const { port } = new URL(url);
  const warm = none();
  await Promise.all(Array.from({ length: 4 }, (_, i) => client(port, i, performance.now() + 3000, warm)));
  return { config, child, port, exited, results: none(), memory: [], rates: [], seen: {}, processor: 0, seconds: 0 };
}

/** Loads a server for some seconds. */
async function load(server, seconds) {
  const { child, port, results, memory, seen } = server;
  const [before, used, begin] = [results.times.length, processorSeconds(child.pid), performance.now()];
  const until = begin + seconds * 1000;
  const note = () => child.exitCode === null && memory.push(memoryOf(child.pid));
  note();
  const timer = setInterval(note, 1000);
  const clients = Array.from({ length: Number(values.clients) }, (_, i) => client(port, i * 5, until, results));
  await Promise.all([...clients, ...(values.hostile ? [hostile(port, until, seen)] : [])]);
  clearInterval(timer);
  if (child.exitCode !== null) throw new Error(`the server ended: exit code ${child.exitCode}`);
  const passed = (performance.now() - begin) / 1000;
  server.seconds += passed;
  server.processor += processorSeconds(child.pid) - used;
  server.rates.push((results.times.length - before) / passed);
}

/** Sends some images, stops the server while it works on them, and tells what became of them. */
async function stop({ child, port, exited }) {
  const last = Array.from({ length: 4 }, (_, i) => send(port, images[i % images.length]));
  await pause(20);
  child.kill('SIGTERM');
  const atStop = (await Promise.allSettled(last)).map(({ value }) => value?.status ?? 'lost');
  return { atStop, exitCode: await exited };
}

function report({ config, results, memory, rates, seen, processor, seconds }, first, ended) {
  const sorted = results.times.sort((one, other) => one - other);
  const moments = Array.from({ length: 10 }, (_, i) => memory[Math.floor((i * (memory.length - 1)) / 9)]);
  return {
    config,
    imagesPerSecond: Number((sorted.length / seconds).toFixed(1)),
    ratio: Number(median(rates.map((rate, i) => rate / first.rates[i])).toFixed(2)),
    processorMs: Number(((processor * 1000) / sorted.length).toFixed(1)), // of an image
    ...{ p50: at(sorted, 0.5), p95: at(sorted, 0.95), p99: at(sorted, 0.99) },
    ...{ answers: sorted.length, wrong: results.wrong, lost: results.lost, lostBy: results.lostBy, busy: results.busy },
    megabytes: { over: moments, most: Math.max(...memory) },
    ...ended,
    hostile: seen,
  };
}

const servers = [];
for (const config of values.configs.split(';')) servers.push(await start(config));
try {
  const rounds = Number(values.rounds);
  for (let round = 0; round < rounds; round++)
    for (const server of servers) await load(server, Number(values.seconds) / rounds);
  for (const server of servers) {
    const ended = await stop(server);
    console.log(JSON.stringify(report(server, servers[0], ended)));
    const isWhole = ended.atStop.every((status) => status === 200) && ended.exitCode === 0;
    if (server.results.wrong + server.results.lost > 0 || !isWhole) process.exitCode = 1;
  }
} finally {
  for (const { child } of servers) child.kill();
}
