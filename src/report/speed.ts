import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeAtomically } from '../files/writeAtomically.js';
import { html, type Html } from './html.js';
import { publishable } from './publish.js';

/** One way to run a model, as `finetune bench` measured it. */
const rowSchema = z.object({
  /** `safetensors` for the checkpoint, else the format of an exported model, with its type if that is not float32. */
  format: z.string(),
  /** The library that ran the model, and in a browser what it computed on. */
  engine: z.string(),
  /** The program that ran it: Node, or the browser with its version. */
  host: z.string(),
  /** The checkpoint or the model folder, as it is given to `predict`; for a model that was not kept, how to export it. */
  model: z.string(),
  /** Milliseconds from the bytes of an image to what was found: the median, and what 19 of 20 calls stay below. */
  p50: z.number(),
  p95: z.number(),
  calls: z.number(),
  /** Memory of a process that runs nothing else, at its most; null where the system does not tell. */
  memoryBytes: z.number().nullable(),
  diskBytes: z.number(),
  /** The score of a quantised model, and of its checkpoint, on the images on which the export compared them. */
  score: z.object({ name: z.string(), checkpoint: z.number(), exported: z.number() }).optional(),
});
export type SpeedRow = z.infer<typeof rowSchema>;

/** The way to choose, and why. */
const recommendationSchema = rowSchema
  .pick({ format: true, engine: true, host: true, model: true })
  .extend({ reason: z.string() });
export type Recommendation = z.infer<typeof recommendationSchema>;

/** `bench.json`. */
const benchSchema = z.object({
  version: z.literal(1),
  machine: z.object({ cpu: z.string(), cores: z.number(), node: z.string(), platform: z.string() }),
  rows: z.array(rowSchema),
  /** The fastest in Node. */
  recommended: recommendationSchema,
  /** The fastest in a web page; null if no browser was measured. */
  inBrowser: recommendationSchema.nullable(),
  /** Ways that were left out, and why. */
  leftOut: z.array(z.object({ format: z.string(), engine: z.string(), why: z.string() })),
});
export type BenchReport = z.infer<typeof benchSchema>;

const BENCH_FILE = 'bench.json';

/** Keeps a measurement in the directory of the run that was measured, and shows it in its report if that is written. Both are
 *  published by people, so that they tell no folder of this machine. */
export async function keepBench(run: string, report: BenchReport): Promise<void> {
  const shorten = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? publishable(value, [run]) : value;
  const kept = JSON.stringify(report, shorten, 2);
  await writeAtomically(join(run, BENCH_FILE), `${kept}\n`);
  const file = join(run, 'report.html');
  const page = await readFile(file, 'utf8').catch(() => undefined);
  if (page !== undefined) await writeAtomically(file, withSpeed(page, JSON.parse(kept) as BenchReport));
}

/** The measurement that a run directory keeps; undefined if there is none that can be read. */
export async function readBench(run: string): Promise<BenchReport | undefined> {
  try {
    return benchSchema.parse(JSON.parse(await readFile(join(run, BENCH_FILE), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Comments between which the section stands, so that the next measurement replaces it. */
const [BEGIN, END] = ['<!-- speed -->', '<!-- /speed -->'];

/** The page of a report with this measurement in the place of an earlier one, or else at its end. */
function withSpeed(page: string, report: BenchReport): string {
  const { markup } = speedSection(report);
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin >= 0 && end > begin) return page.slice(0, begin) + markup + page.slice(end + END.length);
  const body = page.lastIndexOf('</body>');
  return body < 0 ? page : page.slice(0, body) + markup + page.slice(body);
}

/** The section of a report on how fast the model is. */
export function speedSection({ machine, rows, recommended, inBrowser, leftOut }: BenchReport): Html {
  const { markup } = html`<section>
    <h2>Speed</h2>
    <p>
      Milliseconds from the bytes of an image to what was found, measured by <code>finetune bench</code> on
      ${machine.cpu} with ${machine.cores} processors (${machine.platform}, Node ${machine.node}).
    </p>
    <p>Recommended: ${advice(recommended)}</p>
    ${inBrowser !== null && html`<p>In a web page: ${advice(inBrowser)}</p>`}
    <table>
      <tr>
        ${HEADS.map((head) => html`<th scope="col">${head}</th>`)}
      </tr>
      ${rows.map(
        (row) =>
          html`<tr>
            ${cellsOf(row).map((cell, i) => (i < TEXTS ? html`<td class="text">${cell}</td>` : html`<td>${cell}</td>`))}
          </tr>`,
      )}
    </table>
    ${leftOut.map(({ format, engine, why }) => html`<p class="small">Left out: ${format} with ${engine}: ${why}</p>`)}
  </section>`;
  return { markup: `${BEGIN}${markup}${END}` };
}

const advice = ({ format, engine, host, reason }: Recommendation): string =>
  `${format} with ${engine} in ${host}: ${reason}.`;

/** Heads of the columns of a table, of which the first `TEXTS` hold text. */
const HEADS = ['format', 'engine', 'in', 'p50, ms', 'p95, ms', 'memory, MB', 'on disk, MB'];
const TEXTS = 3;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const cellsOf = ({ format, engine, host, p50, p95, memoryBytes, diskBytes }: SpeedRow): string[] => [
  ...[format, engine, host, p50.toFixed(1), p95.toFixed(1)],
  ...[memoryBytes === null ? '–' : megabytes(memoryBytes), megabytes(diskBytes)],
];

/** The measurement as rows of text, the first of them the heads. */
export const speedTable = (rows: readonly SpeedRow[]): string[][] => [HEADS, ...rows.map(cellsOf)];
