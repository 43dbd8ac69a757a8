import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../data/temporaryFolder.js';

const root = new URL('../../', import.meta.url).pathname;
const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { finetune: string } };

/** A folder with the command alone, as in a clone that was never set up. */
const clone = temporaryFolder();
mkdirSync(join(clone, 'bin'));
copyFileSync(join(root, bin.finetune), join(clone, 'bin', 'finetune.mjs'));
writeFileSync(join(clone, 'package.json'), '{ "type": "module" }');
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(clone, 'bin', 'finetune.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('the command is a part of the checkout, and may be executed', () => {
  expect(statSync(join(root, bin.finetune)).mode & 0o111).not.toBe(0);
  expect(bin.finetune).not.toContain('dist');
});

test('without the program it says what is missing; in a clone it sets up, once, and leaves stdout to the program', () => {
  expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('install the package again') });

  writeFileSync(join(clone, 'setup.mjs'), 'process.exit(3);');
  expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('the set-up failed') });

  const program = 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 2;';
  const setup = `import { mkdirSync, writeFileSync } from 'node:fs'; console.log('setting up');
    mkdirSync(new URL('dist/cli/', import.meta.url), { recursive: true });
    writeFileSync(new URL('dist/cli/main.js', import.meta.url), ${JSON.stringify(program)});`;
  writeFileSync(join(clone, 'setup.mjs'), setup);
  expect(run('a', '--json')).toMatchObject({ status: 2, stdout: '["a","--json"]\n', stderr: expect.stringContaining('setting up') }); // prettier-ignore
  expect(run('b')).toEqual({ status: 2, stdout: '["b"]\n', stderr: '' });
});
