import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { openEngines } from '../engines.js';
import { tinyBackbone } from '../tinyBackbone.js';

/** Two network namespaces of Linux with a cable between them: two machines, whose network can be made to stall. */
const root = temporaryFolder();
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const hasTensorflow = (await openEngines()).some(({ name }) => name === 'tensorflow');
const SPACES = [0, 1].map((rank) => `finetune-${process.pid}-${rank}`);
const hosts = ['10.77.0.1', '10.77.0.2'];
const SILENCE = 5;
/** Seconds that a worker may take to end after `--silence`: to save, and to wait for a last word that does not arrive. */
const MOST_MORE = 10;

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'pipe' });
const inside = (rank: number, ...words: string[]) => ip('netns', 'exec', SPACES[rank]!, ...words);
/** Whether this user may make namespaces. */
function mayUseNamespaces(): boolean {
  try {
    ip('netns', 'add', SPACES[0]!);
    ip('netns', 'delete', SPACES[0]!);
    return true;
  } catch {
    return false;
  }
}
const isSlow = process.env['FINETUNE_SLOW'] === '1' && process.platform === 'linux' && hasTensorflow;
const runs = isSlow && mayUseNamespaces();

(runs ? describe : describe.skip)('a network that stalls', () => {
  beforeAll(async () => {
    for (const space of SPACES) ip('netns', 'add', space);
    ip('link', 'add', 'cable', 'netns', SPACES[0]!, 'type', 'veth', 'peer', 'name', 'cable', 'netns', SPACES[1]!);
    await writeFile(
      join(root, 'drawn.yaml'),
      `
task: detection
data: { format: synthetic, root: ${join(root, 'data')}, train: { images: 12 }, val: { images: 2 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { batch: 2, epochs: 10000, checkpointEvery: 1000, logEvery: 1 }
report: { images: 0 }
`,
    );
  });
  afterAll(() => {
    for (const space of SPACES) ip('netns', 'delete', space);
  });
  const connect = () => {
    for (const [rank, host] of hosts.entries()) {
      inside(rank, 'tc', 'qdisc', 'replace', 'dev', 'cable', 'root', 'pfifo');
      inside(rank, 'ip', 'address', 'replace', `${host}/24`, 'dev', 'cable');
      inside(rank, 'ip', 'link', 'set', 'cable', 'up');
    }
  };

  test.each([
    ['a cable that is pulled', () => inside(0, 'ip', 'link', 'set', 'cable', 'down')],
    // A queue that lets no packet through: what is sent vanishes, and nobody is told.
    ['packets that vanish', () => hosts.forEach((_, rank) => void inside(rank, ...'tc qdisc replace dev cable root tbf rate 8bit burst 1 limit 1'.split(' ')))], // prettier-ignore
    ['packets that vanish on one side', () => inside(0, ...'tc qdisc replace dev cable root tbf rate 8bit burst 1 limit 1'.split(' '))], // prettier-ignore
  ] as const)(
    'ends both workers within --silence, with everything saved: %s',
    async (name, stall) => {
      connect();
      const directory = join(root, name.replaceAll(' ', '-'));
      const list = hosts.map((host) => `${host}:7500`).join();
      const ends = SPACES.map(async (space, rank) => {
        const own = ['--out', directory, '--workers', list, '--rank', String(rank), '--trust-network'];
        const words = [main, join(root, 'drawn.yaml'), ...own, '--silence', String(SILENCE), '--threads', '1'];
        const child = spawn('ip', ['netns', 'exec', space, process.execPath, ...words]);
        let said = '';
        child.stderr.on('data', (text: Buffer) => (said += text.toString()));
        const [code] = (await once(child, 'close')) as [number];
        return { code, said, at: performance.now() };
      });
      for (let tries = 0; !existsSync(join(directory, 'checkpoints', 'last.safetensors')); tries++) {
        if (tries === 300) throw new Error('the run does not begin');
        await setTimeout(200);
      }
      stall();
      const began = performance.now();
      const [first, second] = await Promise.all(ends);
      for (const { code, said, at } of [first!, second!]) {
        expect([code, said]).toEqual([3, expect.stringMatching(/worker [01] \(10\.77.*E_WORKERS_LOST/s)]);
        expect((at - began) / 1000).toBeLessThan(SILENCE + MOST_MORE);
      }
      expect(first!.said).toMatch(/Progress is saved\. Fix the error, then run: finetune .* --resume/);
      console.log(`${name}: ended after ${[first, second].map((end) => ((end!.at - began) / 1000).toFixed(1)).join(' and ')} s`); // prettier-ignore
    },
    120_000,
  );
});
