/** Measures the time in which workers average values: by size, by number of processes, and by size of the buckets that
 *  one amount is cut into. Each worker is a process of its own.
 *
 *      npm run build && node test/bench/allReduce.mjs [--processes 2,3,4] [--mebibytes 1,4,16] [--buckets 1,4,16] [--rounds 15]
 *
 *  By default all of them are on the loopback device. With `--hosts 10.9.0.1,10.9.0.2 --spaces a,b` the process of rank r
 *  listens at the r-th host and runs in the r-th network namespace (`ip netns`), where a rate can be set with `tc`.
 *  Prints milliseconds, the medians over the rounds on the slowest worker. */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const list = (text) => text.split(',');
const numbers = (text) => list(text).map(Number);
const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '2,3,4' },
    mebibytes: { type: 'string', default: '0.01,1,4,16' },
    buckets: { type: 'string', default: '1,4,16' },
    rounds: { type: 'string', default: '15' },
    hosts: { type: 'string', default: '127.0.0.1' },
    spaces: { type: 'string', default: '' },
    port: { type: 'string', default: '7600' },
    rank: { type: 'string' },
  },
});
const MIB = 2 ** 20;
const hosts = list(values.hosts);
const median = (found) => [...found].sort((a, b) => a - b)[Math.floor(found.length / 2)];

/** The amounts to average: all at once, or in buckets. */
const cases = [
  ...numbers(values.mebibytes).map((size) => ({ size, bucket: size })),
  ...numbers(values.buckets).map((bucket) => ({ size: Math.max(...numbers(values.mebibytes)), bucket })),
];

if (values.rank === undefined) await compare();
else await work(Number(values.rank), Number(values.processes));

async function compare() {
  for (const [i, count] of numbers(values.processes).entries()) {
    const port = String(Number(values.port) + 16 * i);
    const all = await Promise.all(Array.from({ length: count }, (_, rank) => start(rank, count, port)));
    for (const [k, { size, bucket }] of cases.entries()) {
      const slowest = Math.max(...all.map((times) => times[k]));
      console.log(`${count} processes, ${size} MiB in buckets of ${bucket} MiB: ${slowest.toFixed(2)} ms`);
    }
  }
}

function start(rank, count, port) {
  const own = ['--rank', String(rank), '--processes', String(count), '--port', port, '--rounds', values.rounds];
  const same = ['--hosts', values.hosts, '--mebibytes', values.mebibytes, '--buckets', values.buckets];
  const spaces = values.spaces ? list(values.spaces) : [];
  const prefix = spaces.length > 0 ? ['ip', 'netns', 'exec', spaces[rank % spaces.length]] : [];
  const [program, ...words] = [...prefix, process.execPath, fileURLToPath(import.meta.url), ...own, ...same];
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  return new Promise((resolve, reject) => {
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(said)) : reject(new Error(`a worker ended with ${code}`)),
    );
  });
}

async function work(rank, count) {
  const { joinWorkers } = await import('../../dist/workers/join.js');
  const { placesOf } = await import('../../dist/workers/addresses.js');
  const addresses = Array.from({ length: count }, (_, i) => `${hosts[i % hosts.length]}:${Number(values.port) + i}`);
  const team = await joinWorkers({ ...placesOf(addresses, rank), trustNetwork: true });
  const times = [];
  for (const { size, bucket } of cases) {
    const parts = Array.from({ length: Math.ceil(size / bucket) }, () => new Float32Array((bucket * MIB) / 4));
    const means = parts.map((part) => new Float32Array(part.length));
    const found = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      await team.gather(0); // all begin together
      const began = performance.now();
      await Promise.all(parts.map((part, i) => team.mean([part], means[i])));
      found.push(performance.now() - began);
    }
    times.push(median(found.slice(2)));
  }
  await team.leave();
  console.log(JSON.stringify(times));
}
