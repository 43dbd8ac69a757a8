/** The signals that ask a process to end, with their numbers: Ctrl-C, `kill`, and a terminal or a connection that was
 *  closed. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof SIGNALS;

/** Milliseconds within which further signals belong to the first one: npx passes Ctrl-C on to a process that has it
 *  from the terminal already, and a machine that shuts down sends SIGTERM and SIGHUP together. */
const TOGETHER = 300;

/** The reason with which the work of a command is aborted when a signal stops it. */
export class Stopped extends Error {
  override readonly name = 'AbortError'; // what Node calls the errors of aborted work
  /** What a shell returns for a process that the signal ended. */
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + SIGNALS[signal];
  }
}

export interface Interrupt {
  /** Aborts at the first signal, with a `Stopped` as its reason. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  readonly stop: () => void;
}

/** The first SIGINT, SIGTERM or SIGHUP calls `first` and aborts the signal. The next one calls `kill` with the exit
 *  code that a shell gives a process killed by it; `now` is in milliseconds. */
export function listenForInterrupt(
  first: () => void,
  kill: (exitCode: number) => void,
  now: () => number = () => performance.now(),
): Interrupt {
  const controller = new AbortController();
  const names = Object.keys(SIGNALS) as StopSignal[];
  let began = 0;
  const onSignal = (name: NodeJS.Signals) => {
    const stopped = new Stopped(name as StopSignal);
    if (controller.signal.aborted) {
      if (now() - began >= TOGETHER) kill(stopped.exitCode);
      return;
    }
    began = now();
    first();
    controller.abort(stopped);
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => names.forEach((name) => process.off(name, onSignal)),
  };
}
