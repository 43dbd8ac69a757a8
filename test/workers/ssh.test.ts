import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readSafetensors } from '../../src/weights/safetensorsFile.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { openEngines } from '../engines.js';
import { tinyBackbone } from '../tinyBackbone.js';
import { freeAddresses } from './freeAddresses.js';

/** A real sshd on this machine, with keys and a port of its own. */
const SSHD = '/usr/sbin/sshd';
const root = temporaryFolder();
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const hasTensorflow = (await openEngines()).some(({ name }) => name === 'tensorflow');
const isSlow = process.env['FINETUNE_SLOW'] === '1' && hasTensorflow && existsSync(SSHD) && process.getuid?.() === 0;

/** The workers of this test that run, by their command lines. */
const workers = (): { readonly pid: number; readonly words: readonly string[] }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[1] === main && words[2]?.startsWith(root) ? [{ pid: Number(pid), words }] : [];
      } catch {
        return []; // it has ended meanwhile
      }
    });
const until = async (condition: () => boolean): Promise<void> => {
  for (let tries = 0; !condition(); tries++) {
    if (tries === 600) throw new Error('it does not come');
    await setTimeout(100);
  }
};

(isSlow ? describe : describe.skip)('launch --ssh with a real sshd', () => {
  let sshd: ChildProcess;
  beforeAll(async () => {
    const [address] = await freeAddresses(1);
    const port = address!.split(':')[1]!;
    for (const name of ['host', 'user'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, name)]);
    const paths = { HostKey: join(root, 'host'), AuthorizedKeysFile: join(root, 'user.pub'), PidFile: 'none' };
    const server = {
      Port: port,
      ListenAddress: '127.0.0.1',
      StrictModes: 'no',
      PasswordAuthentication: 'no',
      ...paths,
    };
    const client = {
      HostName: '127.0.0.1',
      Port: port,
      User: 'root',
      IdentityFile: join(root, 'user'),
      IdentitiesOnly: 'yes',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
    };
    const lines = (options: object) => Object.entries(options).map(([key, value]) => `${key} ${value}\n`).join(''); // prettier-ignore
    await writeFile(join(root, 'sshd_config'), lines(server));
    await writeFile(join(root, 'ssh_config'), `Host *\n${lines(client)}`);
    await mkdir('/run/sshd', { recursive: true });
    await mkdir(join(root, 'bin'));
    await writeFile(join(root, 'bin', 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F '${root}/ssh_config' "$@"\n`);
    await chmod(join(root, 'bin', 'ssh'), 0o755);
    sshd = spawn(SSHD, ['-D', '-e', '-f', join(root, 'sshd_config')], { stdio: 'ignore' });
    await writeFile(
      join(root, 'drawn.yaml'),
      `
task: detection
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 12 }, val: { images: 2 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { batch: 2, epochs: 6, checkpointEvery: 1 }
report: { images: 0 }
`,
    );
  }, 60_000);
  afterAll(() => void sshd.kill());

  const start = async (name: string, more: readonly string[]) => {
    const list = await freeAddresses(2);
    await writeFile(join(root, 'hosts.txt'), list.map((address, i) => `host-${i} ${address}\n`).join(''));
    const remote = ['--remote-folder', root, '--remote-command', `'${process.execPath}' '${main}'`];
    const words = ['launch', join(root, 'drawn.yaml'), '--ssh', join(root, 'hosts.txt'), ...remote, '--threads', '1'];
    const env = { ...process.env, PATH: `${join(root, 'bin')}:${process.env['PATH']}` };
    const child = spawn(process.execPath, [main, ...words, '--out', name, ...more], { env, stdio: ['ignore', 'pipe', 'pipe'] }); // prettier-ignore
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
    return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number, said })) };
  };
  const tensorsOf = async (name: string) =>
    (await readSafetensors(join(root, name, 'checkpoints', 'last.safetensors'))).tensors;
  const isTraining = (name: string) => existsSync(join(root, name, 'checkpoints', 'last.safetensors'));

  test('trains on two hosts, and without one that was lost to the same bytes', async () => {
    const { code, said } = await (await start('whole', [])).ended;
    expect([code, said]).toEqual([0, expect.stringContaining('whole')]);
    const { ended } = await start('fewer', ['--max-restarts', '1', '--elastic']);
    await until(() => isTraining('fewer'));
    const victim = workers().find(({ words }) => words[words.indexOf('--rank') + 1] === '1')!;
    process.kill(victim.pid, 'SIGKILL');
    const fewer = await ended;
    expect([fewer.code, fewer.said]).toEqual([0, expect.stringContaining('with 1 of 2 processes')]);
    expect(await tensorsOf('fewer')).toEqual(await tensorsOf('whole'));
  }, 240_000);

  test('ends all workers when it is stopped, and when it is killed', async () => {
    const stopped = await start('stopped', []);
    await until(() => isTraining('stopped'));
    stopped.child.kill('SIGTERM');
    const { code, said } = await stopped.ended;
    expect([code, said]).toEqual([143, expect.stringMatching(/to resume, run: finetune launch .* --ssh .* --resume/)]);
    expect(workers()).toEqual([]);
    const killed = await start('killed', []);
    await until(() => isTraining('killed'));
    const secret = readFileSync(`/proc/${workers()[0]!.pid}/environ`, 'utf8').match(
      /FINETUNE_WORKERS_SECRET=(\w+)/,
    )![1]!;
    const lists = readdirSync('/proc').flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
      } catch {
        return [];
      }
    });
    expect(lists.filter((line) => line.includes(secret))).toEqual([]);
    killed.child.kill('SIGKILL');
    await killed.ended;
    await until(() => workers().length === 0);
  }, 240_000);
});
