import { Presets, SingleBar } from 'cli-progress';
import type { ProgressEvent, ProgressStep } from '../progress.js';

export interface ProgressDisplay {
  readonly show: (event: ProgressEvent) => void;
  /** Removes the bar from the screen; the lines stay. */
  readonly close: () => void;
}

/** Seconds between two lines of a phase where no bar can be drawn, so that the log of a long run stays readable. */
const LINE_EVERY = 15;

const BAR = {
  format: '{phase} {bar} {value}/{total}  {eta_formatted} left  {text}',
  barsize: 24,
  clearOnComplete: true,
  hideCursor: true,
  gracefulExit: false, // it would take Ctrl-C away from the run, which must save first
} as const;

/** Shows progress on `stream`: a bar on a terminal, a line now and then elsewhere; `now` is in milliseconds. */
export function createProgress(
  stream: NodeJS.WriteStream = process.stderr,
  now: () => number = () => performance.now(),
): ProgressDisplay {
  return stream.isTTY ? barDisplay(stream) : lineDisplay(stream, now);
}

function barDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  let bar: SingleBar | undefined;
  let phase: ProgressStep['phase'] | undefined;
  const close = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    close,
    show: (event) => {
      if ('message' in event) {
        close(); // the line goes where the bar was; the next step draws the bar below it
        stream.write(`${event.message}\n`);
        return;
      }
      if (event.phase !== phase) close();
      phase = event.phase;
      const payload = { phase: phase.padEnd(8), text: event.text ?? '' };
      if (!bar) {
        bar = new SingleBar({ ...BAR, stream }, Presets.shades_classic);
        bar.start(event.total, event.done, payload);
      } else {
        bar.setTotal(event.total);
        bar.update(event.done, payload);
      }
      if (event.done >= event.total) close();
    },
  };
}

function lineDisplay(stream: NodeJS.WriteStream, now: () => number): ProgressDisplay {
  let phase: ProgressStep['phase'] | undefined;
  let last = -Infinity;
  return {
    close: () => undefined,
    show: (event) => {
      if ('message' in event) {
        stream.write(`${event.message}\n`);
        return;
      }
      const isDue = event.phase !== phase || event.done >= event.total || now() - last >= LINE_EVERY * 1000;
      if (!isDue) return;
      phase = event.phase;
      last = now();
      stream.write(`${phase} ${event.done}/${event.total}${event.text ? `  ${event.text}` : ''}\n`);
    },
  };
}
