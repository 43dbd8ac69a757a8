/** Measures images per second of `finetune serve` with wrk, whose clients cost next to no processor time: configurations take turns
 *  in rounds, and `ratio` is the median of the rounds' ratios to the first. Answers are not compared here; serve.mjs does that.
 *
 *      node test/bench/serveRate.mjs RUN IMAGE [--seconds 6] [--rounds 3] [--clients 8] \
 *        [--configs "workers=0;workers=0,batch=4;workers=2;workers=2,batch=4"]
 *
 *  Needs dist/ and wrk. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const FINETUNE = fileURLToPath(new URL('../../bin/finetune.mjs', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '8' },
    configs: { type: 'string', default: 'workers=0;workers=0,batch=4;workers=2;workers=2,batch=4' },
  },
});
const [run, image] = positionals;
const median = (list) => [...list].sort((one, other) => one - other)[Math.floor(list.length / 2)];

const folder = mkdtempSync(join(tmpdir(), 'serve-rate-'));
const script = join(folder, 'post.lua');
writeFileSync(
  script,
  `local file = io.open(${JSON.stringify(resolve(image))}, 'rb')
wrk.method, wrk.body = 'POST', file:read('*a')
wrk.headers['Content-Type'] = 'image/jpeg'
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"microseconds":%d,"errors":%d,"p50":%f,"p99":%f}\\n', summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`,
);

async function start(config) {
  const flags = config.split(',').flatMap((part) => {
    const [name, value] = part.split('=');
    return [`--${name}`, value];
  });
  const args = [FINETUNE, 'serve', run, '--port', '0', '--engine', 'onnxruntime', ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve) => createInterface(child.stdout).once('line', resolve));
  load(url, 2); // opens what is opened at the first request
  return { config, child, url, loads: [] };
}

/** Sends the image for some seconds, and returns what wrk measured. */
function load(url, seconds) {
  const args = ['-t1', `-c${values.clients}`, `-d${seconds}s`, '-s', script, '--latency', `${url}/predict`];
  const { stdout } = spawnSync('wrk', args, { encoding: 'utf8' });
  const line = stdout.split('\n').find((one) => one.startsWith('{'));
  const { requests, microseconds, ...rest } = JSON.parse(line);
  return { rate: (requests * 1e6) / microseconds, ...rest };
}

const servers = [];
try {
  for (const config of values.configs.split(';')) servers.push(await start(config));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const { url, loads } of servers) loads.push(load(url, values.seconds));
  for (const { config, loads } of servers) {
    const of = (name) => Number(median(loads.map((one) => one[name])).toFixed(1));
    const ratio = Number(median(loads.map(({ rate }, i) => rate / servers[0].loads[i].rate)).toFixed(2));
    const errors = loads.reduce((sum, one) => sum + one.errors, 0);
    console.log(JSON.stringify({ config, imagesPerSecond: of('rate'), ratio, p50: of('p50'), p99: of('p99'), errors }));
  }
} finally {
  for (const { child } of servers) child.kill();
  rmSync(folder, { recursive: true, force: true });
}
