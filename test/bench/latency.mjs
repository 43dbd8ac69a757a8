// Median inference time of one image for every backbone, or for those named: node test/bench/latency.mjs [name …] > docs/latency.json
// Then: node dist/cli/main.js models --markdown > docs/models.md. Named ones replace theirs in docs/latency.json and leave the others.
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { openBackend } from '../../dist/engine/backend.js';
import { measureLatency } from '../../dist/evaluate/latency.js';
import { buildClassifier } from '../../dist/models/describe.js';
import { backbones, findBackbone } from '../../dist/models/registry.js';

const RUNS = 20;
const wanted = process.argv.slice(2);
const backend = await openBackend();
const file = new URL('../../docs/latency.json', import.meta.url);
const before = wanted.length > 0 && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).milliseconds : {};
const milliseconds = { ...before };
for (const name of wanted.length > 0 ? wanted : backbones.keys()) {
  const { logits } = buildClassifier(findBackbone(name));
  const [[time]] = await measureLatency([[[logits]]], backend, { runs: RUNS });
  milliseconds[name] = Math.round(time * 100) / 100;
  console.error(name, milliseconds[name]);
}
const { model } = cpus()[0];
const conditions = `median of ${RUNS} calls on ${backend.threads} cores of ${model.trim()}, engine ${backend.name} ${backend.version}, Node ${process.versions.node}`;
const ordered = Object.fromEntries([...backbones.keys()].map((name) => [name, milliseconds[name]]));
console.log(JSON.stringify({ conditions, milliseconds: ordered }, null, 2));
