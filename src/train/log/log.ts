import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendTo } from '../../files/appendTo.js';
import { writeAtomically } from '../../files/writeAtomically.js';
import { isMetricsLine, type EpochLine, type MetricsLine, type StepLine } from './record.js';
import type { RunState } from '../checkpoint/state.js';
import { openEventFile } from './tensorboard.js';

/** Where a run writes its numbers: metrics.jsonl and a TensorBoard event file. */
export interface RunLog {
  /** All lines so far, those of earlier processes included. */
  readonly lines: readonly MetricsLine[];
  step(line: StepLine): void;
  epoch(line: EpochLine): void;
  close(): void;
}

/** The file of a run that has a line for each epoch and for each few steps. */
export const METRICS_LINES = 'metrics.jsonl';

/** Opens the log of a run directory. A run that resumes keeps the lines up to the state that it resumes from. */
export async function openLog(
  directory: string,
  { resumeFrom }: { readonly resumeFrom?: RunState | undefined } = {},
): Promise<RunLog> {
  const path = join(directory, METRICS_LINES);
  const asText = (line: MetricsLine): string => `${JSON.stringify(line)}\n`;
  const earlier = resumeFrom ? await earlierLines(path, resumeFrom) : [];
  await writeAtomically(path, earlier.map(asText).join('')); // no line is lost if the process dies here
  const file = appendTo(path);
  const events = openEventFile(directory, resumeFrom && { resumedAt: resumeFrom.step });
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
    close() {
      file.close();
      events.close();
    },
  };
}

/** The lines of a metrics.jsonl; none if there is no such file. */
export async function readMetricsLines(file: string): Promise<MetricsLine[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      const content: unknown = JSON.parse(line);
      return isMetricsLine(content) ? [content] : []; // else a disk has lost it, or a person changed it
    } catch {
      return []; // the process died while writing it
    }
  });
}

/** The lines about steps and epochs that are done in the given state. */
async function earlierLines(path: string, { step, epoch }: RunState): Promise<MetricsLine[]> {
  const lines = await readMetricsLines(path);
  return lines.filter((line) => (line.type === 'epoch' ? line.epoch <= epoch : line.step <= step));
}
