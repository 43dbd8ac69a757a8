import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, type LaunchCommand } from '../../src/cli/launch.js';
import { parseHosts } from '../../src/cli/machines/ssh.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { freeAddresses } from '../workers/freeAddresses.js';

const root = temporaryFolder();
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

describe('the file of hosts', () => {
  test('has a destination on each line, and an address where the others find it under another name', () => {
    const text = '# the cluster\nme@gpu1\n\ngpu2 10.0.0.2:7000 # the second card\ngpu1\nme@gpu1\n';
    expect(parseHosts(text, 'hosts.txt')).toEqual([
      { destination: 'me@gpu1', address: 'gpu1:7070' },
      { destination: 'gpu2', address: '10.0.0.2:7000' },
      { destination: 'gpu1', address: 'gpu1:7071' },
      { destination: 'me@gpu1', address: 'gpu1:7072' },
    ]);
  });

  test('has no option of ssh, no third word, and no address twice', () => {
    expect(() => parseHosts('a\n-oProxyCommand=x\n', 'hosts.txt')).toThrow(/hosts\.txt:2: a line is a destination/);
    expect(() => parseHosts('a a:1 b\n', 'hosts.txt')).toThrow(/hosts\.txt:1/);
    expect(() => parseHosts('# none\n', 'hosts.txt')).toThrow(/names no host/);
    expect(() => parseHosts('a x:1\nb x:1\n', 'hosts.txt')).toThrow(/x:1 is the address of two workers/);
    expect(() => parseHosts('a x\n', 'hosts.txt')).toThrow(/"x" is no address/);
  });
});

describe('launch --ssh', () => {
  const path = process.env['PATH'];
  const remote = join(root, 'remote folder');
  /** A program in place of ssh, which notes its command line and runs the command here; and one in place of finetune, which
   *  notes what it is given, and ends as `behave` says. */
  async function pretend(behave: string): Promise<void> {
    const write = async (name: string, text: string) => {
      await writeFile(join(root, 'bin', name), `#!/bin/sh\n${text}\n`);
      await chmod(join(root, 'bin', name), 0o755);
    };
    await write('ssh', `echo "$@" >> '${root}/ssh.txt'\nwhile [ "$1" != -- ]; do shift; done\nexec sh -c "$3"`);
    await write('program', `echo "$FINETUNE_WORKERS_SECRET|$PWD|$*" >> '${root}/program.txt'\n${behave}`);
  }
  beforeEach(async () => {
    await mkdir(join(root, 'bin'), { recursive: true });
    await mkdir(remote, { recursive: true });
    await writeFile(join(root, 'hosts.txt'), 'one 127.0.0.1:7311\ntwo 127.0.0.1:7312\n');
    await writeFile(join(root, 'recipe.yaml'), 'task: detection\ndata: { format: synthetic, root: data }\n');
    process.env['PATH'] = `${join(root, 'bin')}:${path}`;
  });
  afterEach(async () => {
    process.env['PATH'] = path;
    await rm(join(root, 'ssh.txt'), { force: true });
    await rm(join(root, 'program.txt'), { force: true });
  });
  const start = (more: Partial<LaunchCommand> = {}) =>
    launch(join(root, 'recipe.yaml'), {
      on: { file: join(root, 'hosts.txt'), folder: remote, program: join(root, 'bin', 'program') },
      set: ['train.lr.value=0.01'],
      out: 'runs/one',
      ofWorkers: ['--silence', '30'],
      maxRestarts: 0,
      elastic: false,
      ...more,
    });
  const linesOf = async (name: string) => (await readFile(join(root, name), 'utf8')).trim().split('\n').sort();

  test('starts one worker on each host, in its folder, with a secret that no command line shows', async () => {
    await pretend('exit 0');
    await start();
    const given = (await linesOf('program.txt')).map((line) => line.split('|'));
    const [secret] = given[0]!;
    expect(secret).toMatch(/^[0-9a-f]{32}$/);
    const words = (rank: number) =>
      `${join(root, 'recipe.yaml')} --set train.lr.value=0.01 --out runs/one --workers 127.0.0.1:7311,127.0.0.1:7312 --rank ${rank} --silence 30`;
    expect(given).toEqual([0, 1].map((rank) => [secret, remote, words(rank)]));
    const ssh = (await linesOf('ssh.txt')).join('\n');
    expect(ssh).toMatch(/BatchMode=yes.* -- one exec[^]*BatchMode=yes.* -- two exec/);
    expect(ssh).not.toContain(secret);
  });

  test('with --elastic goes on without a host that was lost, if that is not the first one', async () => {
    await pretend('case "$*" in *"--rank 0"*) exit 3;; *"--rank 1"*) exit 7;; *) exit 0;; esac');
    await start({ maxRestarts: 1, elastic: true });
    const given = await linesOf('program.txt');
    expect(given).toHaveLength(3);
    expect(given.filter((line) => !line.includes('--workers'))).toEqual([
      expect.stringMatching(/\|.*recipe\.yaml --set \S+ --out runs\/one --resume$/),
    ]);
    await pretend('case "$*" in *"--rank 0"*) exit 7;; *) exit 3;; esac');
    await expect(start({ maxRestarts: 1, elastic: true })).rejects.toMatchObject({ exitCode: 1 });
  });

  test('does not start again what cannot work', async () => {
    await pretend('exit 127');
    await expect(start({ maxRestarts: 3 })).rejects.toMatchObject({ exitCode: 127 });
    expect(await linesOf('program.txt')).toHaveLength(2);
  });

  test('shows no secret of a setting to others', async () => {
    const set = ['model.weights=https://me:secret@example.org/x.safetensors'];
    await expect(start({ set })).rejects.toThrow(/has a secret/);
    expect(await readdir(root)).not.toContain('ssh.txt');
  });
});

test('a worker that launch holds by its input saves and ends when that does', async () => {
  const [first, second] = await freeAddresses(2);
  await writeFile(join(root, 'tiny.yaml'), 'task: detection\ndata: { format: synthetic, root: data, size: 64 }\n');
  const words = [join(root, 'tiny.yaml'), '--out', join(root, 'run'), '--workers', `${first},${second}`, '--rank', '0'];
  const env = { ...process.env, FINETUNE_LAUNCHED: '1' };
  const child = spawn(process.execPath, [main, ...words], { stdio: ['pipe', 'ignore', 'pipe'], env });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
    if (said.includes('waiting for the others')) child.stdin.end();
  });
  const [code] = (await once(child, 'close')) as [number];
  expect([code, said]).toEqual([143, expect.stringMatching(/stopped/)]);
}, 30_000);

test('a mistake that all workers of this machine find is told once', async () => {
  const recipe = join(root, 'nowhere.yaml');
  await writeFile(recipe, 'task: classification\ndata: { format: imageFolder, root: nowhere, size: 64 }\n');
  const child = spawn(process.execPath, [main, 'launch', recipe, '--local', '2', '--out', join(root, 'nowhere')]);
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect([code > 0, said.match(/\bE_\w+/g)]).toEqual([true, ['E_FOLDER_CLASSES']]);
}, 30_000);
