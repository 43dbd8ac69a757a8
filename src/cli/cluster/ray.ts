import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { FinetuneError, type Problem } from '../../errors.js';
import { maskSecrets } from '../../maskSecrets.js';
import { quote } from '../quote.js';
import { PROGRAM, TAIL, type Cluster } from './cluster.js';

/** Milliseconds for the answer to a request. */
const PATIENCE = 30_000;
/** Looks in a row that may fail. */
const MOST_FAILURES = 30;

const jobSchema = z.object({ submission_id: z.string() });
const statusSchema = z.object({ status: z.string(), message: z.string().nullish() });
const logsSchema = z.object({ logs: z.string() });

/** Ray, through the REST interface of its jobs (docs.ray.io, "Ray Jobs REST API"). Every run is a job that takes one CPU, or
 *  as many as `cpus`, and is looked at every `pause` milliseconds. The machines must see the same files. Throws E_RAY where the cluster does not answer. */
export function rayCluster(address: string, cpus: number, pause = 1000): Cluster {
  const base = `${address.replace(/\/+$/, '')}/api/jobs/`;
  const jobs = new Set<string>();

  async function ask<S extends z.ZodType>(schema: S, path: string, sent?: object): Promise<z.output<S>> {
    try {
      return schema.parse(JSON.parse(await exchange(new URL(base + path), sent)));
    } catch (error) {
      const problem: Problem = {
        code: 'E_RAY',
        message: maskSecrets(`Ray at ${address}: ${(error as Error).message}`),
        fix: 'name the address of its dashboard: --ray http://host:8265, or RAY_API_SERVER_ADDRESS',
      };
      throw new FinetuneError(problem, { cause: error });
    }
  }

  async function endOf(job: string): Promise<z.output<typeof statusSchema>> {
    let failures = 0;
    for (;;) {
      await setTimeout(pause);
      try {
        const found = await ask(statusSchema, job);
        if (!['PENDING', 'RUNNING'].includes(found.status)) return found;
        failures = 0;
      } catch (error) {
        if (++failures > MOST_FAILURES) throw error;
      }
    }
  }

  /** Ray sends SIGTERM, and SIGKILL to what has not ended three seconds later. */
  const stop = (): void => jobs.forEach((job) => void ask(z.unknown(), `${job}/stop`, {}).catch(() => undefined));
  return {
    async run(words) {
      const entrypoint = `cd ${quote(process.cwd())} && exec ${[...PROGRAM, ...words].map(quote).join(' ')}`;
      const { submission_id: job } = await ask(jobSchema, '', { entrypoint, entrypoint_num_cpus: cpus });
      jobs.add(job);
      const { status, message } = await endOf(job);
      jobs.delete(job);
      if (status === 'SUCCEEDED') return undefined;
      const logs = await ask(logsSchema, `${job}/logs`).then(({ logs: text }) => text, () => ''); // prettier-ignore
      return `${logs.slice(-TAIL)}\nRay: ${status}${message ? `: ${message}` : ''}`.trim();
    },
    stop,
    kill: stop,
  };
}

/** Gets the text at an address, or posts JSON there. Ray refuses the headers with which `fetch` says that it is a browser. */
async function exchange(url: URL, sent?: object): Promise<string> {
  const [method, body] = sent === undefined ? ['GET', ''] : ['POST', JSON.stringify(sent)];
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request = send(url, { method, headers, signal: AbortSignal.timeout(PATIENCE) }).end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${answer.slice(0, 200)}`);
  return answer;
}
