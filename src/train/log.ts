import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { join } from 'node:path';
import type { EpochLine, MetricsLine, StepLine } from './record.js';
import { openEventFile } from './tensorboard.js';

/** Where a run writes its numbers: metrics.jsonl and a TensorBoard event file. */
export interface RunLog {
  /** All lines so far, for the report. */
  readonly lines: readonly MetricsLine[];
  step(line: StepLine): Promise<void>;
  epoch(line: EpochLine): Promise<void>;
  close(): Promise<void>;
}

/** Opens the log of a run directory; `earlier` are the lines of a run that is being resumed. */
export async function openLog(directory: string, earlier: readonly MetricsLine[] = []): Promise<RunLog> {
  const file = createWriteStream(join(directory, 'metrics.jsonl'), { flags: 'w' });
  const events = await openEventFile(directory);
  const lines: MetricsLine[] = [];
  const write = (line: MetricsLine): void => {
    lines.push(line);
    file.write(`${JSON.stringify(line)}\n`);
  };
  earlier.forEach(write);
  return {
    lines,
    async step(line) {
      write(line);
      const { step } = line;
      await events.scalar('train/loss', line.loss, step);
      for (const [name, value] of Object.entries(line.parts)) await events.scalar(`train/loss/${name}`, value, step);
      await events.scalar('train/lr', line.lr, step);
      await events.scalar('train/gradientNorm', line.gradientNorm, step);
      await events.scalar('speed/imagesPerSecond', line.imagesPerSecond, step);
    },
    async epoch(line) {
      write(line);
      await events.scalar('val/loss', line.valLoss, line.step);
      for (const [name, value] of Object.entries(line.metric ?? {}))
        await events.scalar(`val/${name}`, value, line.step);
    },
    async close() {
      file.end();
      await finished(file);
      await events.close();
    },
  };
}
