// npm run fuzz -- [--minutes 10] [--seed N] [--times 5] [test files …]
//
// Runs the property tests again and again until the time is over, each round with another seed and `times` as many cases as
// `npm test`. Stops at the first failure and prints the command that repeats it. With --seed there is one round.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, times: { type: 'string' } },
  allowPositionals: true,
});
const { minutes = '10', times = '5' } = values;
const chosen = positionals.length > 0 ? positionals : propertyTests();
const end = Date.now() + Number(minutes) * 60_000;

/** The tests that draw their cases with fastCheck.ts. */
function propertyTests() {
  const files = readdirSync(join(root, 'test'), { recursive: true }).map((file) => join('test', file));
  return files.filter(
    (file) => file.endsWith('.test.ts') && /\/fastCheck\.js'/.test(readFileSync(join(root, file), 'utf8')),
  );
}

function passes(seed) {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [jest, ...chosen], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, FINETUNE_FUZZ_SEED: String(seed), FINETUNE_FUZZ_TIMES: times },
  });
  if (status === 0) return true;
  console.log(`${stdout}${stderr}`);
  console.log(
    `Seed ${seed} fails. To repeat it: npm run fuzz -- --seed ${seed} --times ${times} ${positionals.join(' ')}`,
  );
  return false;
}

let rounds = 0;
for (;;) {
  const seed = values.seed ?? randomInt(2 ** 31);
  console.log(`round ${++rounds}: seed ${seed}, ${chosen.length} files`);
  if (!passes(seed)) process.exit(1);
  if (values.seed !== undefined || Date.now() >= end) break;
}
console.log(`${rounds} rounds without a failure`);
