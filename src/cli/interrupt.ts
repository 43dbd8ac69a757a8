const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

export interface Interrupt {
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  readonly stop: () => void;
}

/** The first Ctrl-C (or SIGTERM) calls `first` and aborts the signal. The second one calls `kill` with the exit code
 *  that a shell gives a process killed by it. */
export function listenForInterrupt(first: () => void, kill: (exitCode: number) => void): Interrupt {
  const controller = new AbortController();
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      kill(128 + SIGNALS[name as keyof typeof SIGNALS]);
      return;
    }
    first();
    controller.abort();
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => names.forEach((name) => process.off(name, onSignal)),
  };
}
