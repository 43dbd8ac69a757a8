import { bench, type BenchOptions, type BenchReport } from '../bench/bench.js';
import { printable } from '../printable.js';
import { table } from './table.js';
import { watched } from './watched.js';

/** `finetune bench`: how fast a model is here, by engine and format. */
export async function benchCommand(model: string, options: BenchOptions, { json }: { json: boolean }): Promise<void> {
  const report = await watched((hooks) => bench(model, { ...options, ...hooks }));
  console.log(json ? JSON.stringify(report) : toText(report));
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function toText({ rows, recommended, leftOut }: BenchReport): string {
  const lines = rows.map(({ format, engine, p50, p95, memoryBytes, diskBytes }) => [
    ...[format, engine, `${p50.toFixed(1)} ms`, `${p95.toFixed(1)} ms`, megabytes(memoryBytes), megabytes(diskBytes)],
  ]);
  const head = ['format', 'engine', 'p50', 'p95', 'memory', 'on disk'];
  const without = leftOut.map(({ format, engine, why }) => `left out: ${format} with ${engine}: ${why}`);
  const { format, engine, model } = recommended;
  const best = `recommended: ${format} with ${engine}: ${model}`;
  return [table([head, ...lines]), ...[...without, best].map((line) => printable(line))].join('\n');
}
