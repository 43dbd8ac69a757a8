import { describe, expect, test } from '@jest/globals';
import { expandCounts, expandNodes, parseAddress, placesFrom, placesOf } from '../../src/workers/addresses.js';

const wrong = { code: 'E_WORKERS_PLACES' };

describe('addresses of workers', () => {
  test('are host:port, with an IPv6 address in brackets', () => {
    expect(parseAddress('node-1.lan:7000')).toEqual({ host: 'node-1.lan', port: 7000 });
    expect(parseAddress('[fe80::1]:7000')).toEqual({ host: 'fe80::1', port: 7000 });
    for (const text of ['node', 'node:', ':7000', 'node:70000', 'node:0', 'fe80::1:7000', 'a b:1'])
      expect(() => parseAddress(text)).toThrow(expect.objectContaining(wrong));
  });

  test('a list has two of them at least, each once, and a place for the rank', () => {
    expect(placesOf(['a:1', 'b:1'], 1).rank).toBe(1);
    for (const [list, rank] of [
      [['a:1'], 0],
      [['a:1', 'a:1'], 0],
      [['a:1', 'b:1'], 2],
      [['a:1', 'b:1'], NaN],
    ] as const)
      // prettier-ignore
      expect(() => placesOf(list, rank)).toThrow(expect.objectContaining(wrong));
  });
});

describe('workers of a cluster', () => {
  const listOf = (env: Readonly<Record<string, string>>) => {
    const { addresses, rank } = placesFrom(env);
    return { list: addresses.map(({ host, port }) => `${host}:${port}`), rank };
  };

  test('are read from TF_CONFIG, the chief first', () => {
    const cluster = { worker: ['b:2', 'c:3'], chief: ['a:1'] };
    const config = (task: object) => ({ TF_CONFIG: JSON.stringify({ cluster, task }) });
    expect(listOf(config({ type: 'worker', index: 1 }))).toEqual({ list: ['a:1', 'b:2', 'c:3'], rank: 2 });
    expect(listOf(config({ type: 'chief', index: 0 })).rank).toBe(0);
    for (const text of ['{', '{}', JSON.stringify({ cluster, task: { type: 'ps', index: 0 } })])
      expect(() => placesFrom({ TF_CONFIG: text })).toThrow(expect.objectContaining(wrong));
  });

  test("are read from Slurm's variables, several on a node", () => {
    const env = { SLURM_PROCID: '2', SLURM_JOB_NODELIST: 'gpu[01-02],login', SLURM_TASKS_PER_NODE: '2(x1),1(x2)' };
    expect(listOf(env)).toEqual({ list: ['gpu01:7070', 'gpu01:7071', 'gpu02:7070', 'login:7070'], rank: 2 });
    expect(() => placesFrom({ SLURM_PROCID: '0' })).toThrow(expect.objectContaining(wrong));
  });

  test('have names and counts that Slurm shortens', () => {
    expect(expandNodes('a[1,3-4]b,c')).toEqual(['a1b', 'a3b', 'a4b', 'c']);
    expect(expandNodes('r[0-1]n[08-10]')).toEqual(['r0n08', 'r0n09', 'r0n10', 'r1n08', 'r1n09', 'r1n10']);
    expect(expandCounts('2(x3),1')).toEqual([2, 2, 2, 1]);
  });

  test('are read from a Kubernetes Indexed Job', () => {
    const env = { JOB_COMPLETION_INDEX: '1', JOB_COMPLETIONS: '2', JOB_SUBDOMAIN: 'train', HOSTNAME: 'my-job-1' };
    expect(listOf(env)).toEqual({ list: ['my-job-0.train:7070', 'my-job-1.train:7070'], rank: 1 });
    expect(() => placesFrom({ ...env, JOB_COMPLETIONS: '' })).toThrow(expect.objectContaining(wrong));
  });

  test('cannot be read from nothing', () => {
    expect(() => placesFrom({})).toThrow(expect.objectContaining(wrong));
  });
});
