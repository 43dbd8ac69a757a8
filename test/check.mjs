/** Runs the checks of the sources side by side, and prints what each of them says when it ends: `npm run check`. */
import { spawn } from 'node:child_process';

const checks = [
  ['eslint', '.'],
  ['tsc', '--noEmit', '-p', 'test'],
  ['tsc', '--noEmit', '-p', 'src/demo/page'],
  ['prettier', '--check', '.'],
  ['depcruise', 'src', '--output-type', 'err-long'],
  ['knip'],
];

const run = ([program, ...args]) =>
  new Promise((resolve) => {
    // Through a shell, which finds npm's commands on Windows too: npm puts their folder into PATH.
    const child = spawn([program, ...args].join(' '), { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said.push(text));
    child.on('close', (code) => {
      console.log(`${program}: ${code === 0 ? 'ok' : `failed with exit code ${code}`}\n${Buffer.concat(said)}`);
      resolve(code);
    });
  });

const codes = await Promise.all(checks.map(run));
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
