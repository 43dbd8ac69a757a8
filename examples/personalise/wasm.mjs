/** Copies the WebAssembly of TensorFlow.js to where the page finds it. */
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const from = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
mkdirSync('public/wasm', { recursive: true });
for (const file of readdirSync(from)) if (file.endsWith('.wasm')) cpSync(join(from, file), join('public/wasm', file));
