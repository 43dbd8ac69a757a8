import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { rayCluster } from '../../src/cli/cluster/ray.js';
import { slurmCluster } from '../../src/cli/cluster/slurm.js';
import { PROGRAM } from '../../src/cli/cluster/cluster.js';
import { temporaryFolder } from '../data/temporaryFolder.js';
import { tinyBackbone } from '../tinyBackbone.js';

const folder = temporaryFolder();

describe('Slurm', () => {
  const path = process.env['PATH'];
  /** Programs that stand for Slurm's: sbatch runs the tasks of an array one after the other, and squeue knows none. */
  beforeAll(async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const programs = {
      sbatch: `#!/bin/bash
echo "$@" >> ${join(folder, 'sbatch')}
for word in "$@"; do case "$word" in --array=1-*) n="\${word#--array=1-}";; --output=*) log="\${word#--output=}";; esac; script="$word"; done
for i in $(seq "$n"); do SLURM_ARRAY_TASK_ID=$i bash "$script" > "\${log/\\%a/$i}" 2>&1; done
echo '17;cluster'
`,
      squeue: '#!/bin/bash\necho "slurm_load_jobs error: Invalid job id specified" >&2; exit 1\n',
    };
    for (const [name, text] of Object.entries(programs)) {
      await writeFile(join(bin, name), text);
      await chmod(join(bin, name), 0o755);
    }
    process.env['PATH'] = `${bin}${delimiter}${path}`;
  });
  afterAll(() => {
    process.env['PATH'] = path;
  });

  test('runs begun together are one job array; a failed one returns what it printed', async () => {
    const cluster = slurmCluster(join(folder, "it's a sweep"), 3);
    const [version, failed] = await Promise.all([cluster.run(['--version']), cluster.run(['eval', "no 'such' run"])]);
    expect(version).toBeUndefined();
    expect(failed).toContain("no 'such' run");
    expect(await readFile(join(folder, 'sbatch'), 'utf8')).toMatch(
      /^--parsable --cpus-per-task=3 --array=1-2 [^\n]*\n$/,
    );
    const made = await readdir(join(folder, "it's a sweep", 'slurm'));
    expect(made.map((name) => name.replace(/^\d+-\d+/, '')).sort()).toEqual(['-1.exit', '-1.log', '-2.exit', '-2.log', '.sh']); // prettier-ignore
  });

  test('a machine without Slurm says so', async () => {
    process.env['PATH'] = join(folder, 'nothing');
    const run = slurmCluster(folder, 1).run(['--version']);
    await expect(run).rejects.toThrow('sbatch is not there');
    process.env['PATH'] = `${join(folder, 'bin')}${delimiter}${path}`;
  });
});

describe('Ray', () => {
  let server: Server;
  const asked: string[] = [];
  /** What the second job prints. */
  const logs = 'E_DATA_TOO_FEW';
  beforeAll(async () => {
    let jobs = 0;
    const looks = new Map<string, number>();
    const answer = (method: string, path: string): object | undefined => {
      const [, job = '', verb = ''] = /^\/api\/jobs\/(?:(job\d)(?:\/(\w+))?)?$/.exec(path) ?? [];
      if (method === 'POST' && job === '') return { job_id: null, submission_id: `job${++jobs}` };
      if (verb === 'logs') return { logs };
      if (verb === 'stop') return { stopped: true };
      looks.set(job, (looks.get(job) ?? 0) + 1);
      if (looks.get(job) === 1) return { status: 'RUNNING' };
      return job === 'job1' ? { status: 'SUCCEEDED', message: null } : { status: 'FAILED', message: 'exit code 1' };
    };
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (text: Buffer) => (body += text.toString()));
      request.on('end', () => {
        asked.push(`${request.method} ${request.url} ${body}`);
        response.end(JSON.stringify(answer(request.method!, request.url!)));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('each run is a job; a failed one returns what it printed', async () => {
    const cluster = rayCluster(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 2, 1);
    expect(await cluster.run(['recipe.yaml', '--set', "a=it's"])).toBeUndefined();
    expect(await cluster.run(['recipe.yaml'])).toBe('E_DATA_TOO_FEW\nRay: FAILED: exit code 1');
    const [, body] = asked[0]!.split('POST /api/jobs/ ');
    expect(JSON.parse(body!)).toMatchObject({
      entrypoint: expect.stringMatching(/^cd \S+ && exec \S+ \S+ recipe.yaml --set 'a=it'\\''s'$/) as unknown,
      entrypoint_num_cpus: 2,
    });
  });

  test('a cluster that does not answer is named', async () => {
    const run = rayCluster('http://user:secret@127.0.0.1:9', 1).run([]);
    await expect(run).rejects.toMatchObject({ code: 'E_RAY' });
    await expect(run).rejects.not.toThrow(/secret/);
  });
});

const isSlow = process.env['FINETUNE_SLOW'] === '1';
const clusters = [
  ['slurm', spawnSync('sinfo').status === 0],
  ['ray', process.env['RAY_API_SERVER_ADDRESS'] !== undefined],
] as const;

describe.each(clusters)('a cluster of %s that is there', (on, isThere) => {
  (isSlow && isThere ? test : test.skip)(
    'computes a sweep that is stopped early',
    async () => {
      const recipe = join(folder, 'drawn.yaml');
      await writeFile(
        recipe,
        `task: detection
engine: wasm
data: { format: synthetic, root: ${join(folder, 'data')}, train: { images: 8 }, val: { images: 2 }, size: 64 }
model: { backbone: ${tinyBackbone} }
train: { epochs: 3, batch: 4 }
report: { images: 0 }
`,
      );
      const over = ['--over', 'train.lr.value=0.01,0.02,0.03', '--stop', 'asha', '--json'];
      const [program, ...words] = [...PROGRAM, 'sweep', recipe, '--on', on, '--out', join(folder, on), ...over];
      const { status, stdout, stderr } = spawnSync(program!, words, { encoding: 'utf8' });
      expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
      const { rows, stopped } = JSON.parse(stdout.split('\n')[0]!) as { rows: unknown[]; stopped: unknown[] };
      expect([rows, stopped].map(({ length }) => length)).toEqual([1, 2]);
    },
    600_000,
  );
});
