import { bench, type BenchOptions } from '../bench/bench.js';
import { printable } from '../printable.js';
import { speedTable, type BenchReport, type Recommendation } from '../report/speed.js';
import { table } from './table.js';
import { watched } from './watched.js';

/** `finetune bench`: how fast a model is here, by engine and format. */
export async function benchCommand(model: string, options: BenchOptions, { json }: { json: boolean }): Promise<void> {
  const report = await watched((hooks) => bench(model, { ...options, ...hooks }));
  console.log(json ? JSON.stringify(report) : toText(report));
}

function toText({ rows, recommended, inBrowser, leftOut }: BenchReport): string {
  const lines = [
    ...leftOut.map(({ format, engine, why }) => `left out: ${format} with ${engine}: ${why}`),
    `recommended: ${advice(recommended)}`,
    ...(inBrowser ? [`in a web page: ${advice(inBrowser)}`] : []),
  ];
  return [table(speedTable(rows)), ...lines.map((line) => printable(line))].join('\n');
}

const advice = ({ format, engine, model, reason }: Recommendation): string =>
  `${format} with ${engine}: ${reason}: ${model}`;
