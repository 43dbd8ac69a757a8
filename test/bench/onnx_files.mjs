/** Times .onnx files on onnxruntime-node alone, with one image each, in a process for each file, in alternating rounds.
 *
 *      node test/bench/onnx_files.mjs FILE… [--rounds 12]
 *
 *  Prints the median of 40 runs in each round, in milliseconds. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { answer } from './dialogue.mjs';

const REPETITIONS = 40;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '12' }, one: { type: 'boolean', default: false } },
});

/** Runs a file on random pixels. */
async function openFile(file) {
  const session = await ort.InferenceSession.create(readFileSync(file), { executionProviders: ['cpu'] });
  const [{ name, type, shape }] = session.inputMetadata;
  const sides = shape.map((side) => (typeof side === 'number' ? side : 1));
  const pixels = Float32Array.from(
    { length: sides.reduce((product, side) => product * side, 1) },
    () => Math.random() * 255,
  );
  const input = new ort.Tensor(type, type === 'uint8' ? Uint8Array.from(pixels) : pixels, sides);
  return () => session.run({ [name]: input });
}

async function start(file) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--one', file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value ?? Promise.reject(new Error(`the process of ${file} has ended`));
  await next();
  return { file, child, next, times: [] };
}

if (values.one) await answer(await openFile(positionals[0]));
else {
  const files = [];
  for (const file of positionals) files.push(await start(file));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { child, next, times } of files) {
      child.stdin.write(`${REPETITIONS + 1}\n`);
      times.push(...(await next()).split(' ').slice(1).map(Number)); // the first one wakes the process up
    }
  }
  for (const { file, child, times } of files) {
    console.log(`${file}: ${[...times].sort((a, b) => a - b)[times.length >> 1].toFixed(2)} ms`);
    child.kill();
  }
}
