import { createWriteStream } from 'node:fs';
import { writeAtomically } from '../files/writeAtomically.js';
import { finished } from 'node:stream/promises';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunState } from './checkpoint.js';
import type { EpochLine, MetricsLine, StepLine } from './record.js';
import { openEventFile } from './tensorboard.js';

/** Where a run writes its numbers: metrics.jsonl and a TensorBoard event file. */
export interface RunLog {
  /** All lines so far, for the report. */
  readonly lines: readonly MetricsLine[];
  step(line: StepLine): void;
  epoch(line: EpochLine): void;
  close(): Promise<void>;
}

interface Resumed {
  /** The lines of the run so far. */
  readonly earlier?: readonly MetricsLine[];
  /** The step it goes on from. */
  readonly resumedAt?: number;
}

/** Opens the log of a run directory. */
export async function openLog(directory: string, { earlier = [], resumedAt }: Resumed = {}): Promise<RunLog> {
  const path = join(directory, 'metrics.jsonl');
  const asText = (line: MetricsLine): string => `${JSON.stringify(line)}\n`;
  await writeAtomically(path, earlier.map(asText).join('')); // a process that dies here loses no line
  const file = createWriteStream(path, { flags: 'a' });
  const events = openEventFile(directory, resumedAt === undefined ? {} : { resumedAt });
  const lines: MetricsLine[] = [...earlier];
  const write = (line: MetricsLine): void => {
    lines.push(line);
    file.write(asText(line));
  };
  return {
    lines,
    step(line) {
      write(line);
      const { step } = line;
      events.scalar('train/loss', line.loss, step);
      for (const [name, value] of Object.entries(line.parts)) {
        events.scalar(`train/loss/${name}`, value, step);
      }
      events.scalar('train/lr', line.lr, step);
      events.scalar('train/gradientNorm', line.gradientNorm, step);
      events.scalar('speed/imagesPerSecond', line.imagesPerSecond, step);
    },
    epoch(line) {
      write(line);
      events.scalar('val/loss', line.valLoss, line.step);
      for (const [name, value] of Object.entries(line.metric ?? {})) {
        events.scalar(`val/${name}`, value, line.step);
      }
    },
    async close() {
      file.end();
      await finished(file);
      events.close();
    },
  };
}

/** The lines of metrics.jsonl that a resumed run keeps: of the steps and epochs that are done. */
export async function earlierLines(directory: string, { step, epoch }: RunState): Promise<MetricsLine[]> {
  const text = await readFile(join(directory, 'metrics.jsonl'), 'utf8').catch(() => '');
  const lines = text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as MetricsLine];
    } catch {
      return []; // the process died while writing it
    }
  });
  return lines.filter((line) => (line.type === 'epoch' ? line.epoch <= epoch : line.step <= step));
}
