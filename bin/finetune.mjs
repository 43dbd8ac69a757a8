#!/usr/bin/env node
// The command `finetune`. A package that was installed has its compiled program in dist/. A clone has none at first: this
// file, which is part of the clone, sets it up, so that `npx finetune` works before anything else was run.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/cli/main.js', import.meta.url);
const setup = fileURLToPath(new URL('../setup.mjs', import.meta.url));

if (!existsSync(program)) {
  if (!existsSync(setup)) fail('this installation lacks its folder dist/: install the package again');
  console.error('finetune: this clone is not set up yet; setting it up (once)');
  // stdout belongs to the command: what the set-up prints goes to stderr.
  const { status } = spawnSync(process.execPath, [setup], { stdio: ['inherit', 2, 'inherit'] });
  if (status !== 0 || !existsSync(program)) fail('the set-up failed: see above, then run npm start in the clone');
}
await import(program.href);

function fail(message) {
  console.error(`finetune: ${message}`);
  process.exit(1);
}
