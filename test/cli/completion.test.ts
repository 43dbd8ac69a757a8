import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/program.js';

const scripts = new Map<string, string>();
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'finetune-completion-'));
  for (const file of ['my recipe.yaml', 'other.yml', 'notes.txt']) writeFileSync(join(dir, file), '');
  const print = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  for (const shell of ['bash', 'zsh', 'fish']) {
    expect(await run(['completion', shell])).toBe(0);
    const script = String(print.mock.calls.at(-1)![0]);
    scripts.set(shell, script);
    writeFileSync(join(dir, `.${shell}`), script);
  }
  print.mockRestore();
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;
const inShell = (shell: string, ...args: readonly string[]): string => {
  const { stdout, stderr, status } = spawnSync(shell, args, { cwd: dir, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
};

/** What bash completes after words, of which the last may be empty. */
const inBash = (...words: readonly string[]): string[] => {
  const line = words.map((word) => `'${word}'`).join(' ');
  const script = `source ./.bash; COMP_WORDS=(finetune ${line}); COMP_CWORD=${words.length}; _finetune; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return inShell('bash', '--norc', '-c', script).trim().split('\n');
};

const onBash = has('bash') ? test : test.skip;

onBash.each([
  [['in'], ['init']],
  [['o'], ['overfit', 'other.yml']],
  [['my'], ['my recipe.yaml']],
  [
    ['models', 'mobilenetv2_0'],
    ['mobilenetv2_035', 'mobilenetv2_050', 'mobilenetv2_075'],
  ],
  [['init', 'x', '--ta'], ['--task']],
  [['init', 'x', '--task', 'd'], ['detection']],
  [['other.yml', '--res'], ['--resume']],
  [['eval', 'n'], ['notes.txt']],
  [['completion', ''], expect.arrayContaining(['bash', 'zsh', 'fish'])],
  [['eval', 'x', '--weights', 'efficientnet_lite0.g'], ['efficientnet_lite0.google']],
] as [string[], unknown][])('bash completes %j', (words, expected) => {
  expect(inBash(...words)).toEqual(expected);
});

(has('zsh') ? test : test.skip)('zsh loads its script', () => {
  inShell(
    'zsh',
    '-f',
    '-c',
    'autoload -U compinit; compinit -u -D; source ./.zsh; [[ $_comps[finetune] == _finetune ]]',
  );
});

(has('fish') ? test : test.skip)('fish completes commands, options and values', () => {
  const complete = (line: string): string[] =>
    inShell('fish', '--no-config', '-c', `source ./.fish; complete -C ${JSON.stringify(line)}`)
      .trim()
      .split('\n')
      .map((found) => found.split('\t')[0]!);
  expect(complete('finetune ini')).toEqual(['init']);
  expect(complete('finetune init x --ta')).toEqual(['--task']);
  expect(complete('finetune init x --task c')).toEqual(['classification']);
  expect(complete('finetune models rexnet_30')).toContain('rexnet_300');
});

test('each script has every command and option; another shell is refused', async () => {
  for (const script of scripts.values())
    for (const word of ['verify-freeze', 'quantize', 'latency']) expect(script).toContain(word);
  const said = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(await run(['completion', 'tcsh'])).toBe(2);
  expect(said.mock.calls.join()).toContain('the shell is one of bash, zsh, fish');
  said.mockRestore();
});
