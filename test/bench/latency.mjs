// Median inference time of one image for every backbone, into docs/latency.json: node test/bench/latency.mjs [name …]
// With names only theirs are measured anew. `npm run docs:models` measures all and writes docs/models.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { openBackend } from '../../dist/engine/backend.js';
import { measureLatency } from '../../dist/evaluate/latency.js';
import { buildClassifier } from '../../dist/models/describe.js';
import { backbones, findBackbone } from '../../dist/models/registry.js';

const RUNS = 20;
const wanted = process.argv.slice(2);
const backend = await openBackend();
const file = new URL('../../docs/latency.json', import.meta.url);
const milliseconds = wanted.length > 0 ? JSON.parse(readFileSync(file, 'utf8')).milliseconds : {};
const cores = `${backend.threads} cores of ${cpus()[0].model.trim()}`;
const conditions = `median of ${RUNS} calls on ${cores}, engine ${backend.name} ${backend.version}, Node ${process.versions.node}`;
for (const name of wanted.length > 0 ? wanted : backbones.keys()) {
  const { logits } = buildClassifier(findBackbone(name));
  const [[time]] = await measureLatency([[[logits]]], backend, { runs: RUNS });
  milliseconds[name] = Math.round(time * 100) / 100;
  console.log(name, milliseconds[name]);
  const ordered = Object.fromEntries([...backbones.keys()].map((key) => [key, milliseconds[key]]));
  writeFileSync(file, `${JSON.stringify({ conditions, milliseconds: ordered }, null, 2)}\n`);
}
