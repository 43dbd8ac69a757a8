const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

export interface Interrupt {
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Stop listening. */
  readonly stop: () => void;
}

/** Ctrl-C (or SIGTERM) once stops gently, after saying `first`: the run saves and ends. Twice kills, with the shell's exit code for it. */
export function listenForInterrupt(
  say: (line: string) => void,
  kill: (exitCode: number) => void,
  first = 'stopping: what is learned so far is being saved (once more to kill)',
): Interrupt {
  const controller = new AbortController();
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      kill(128 + SIGNALS[name as keyof typeof SIGNALS]);
      return;
    }
    say(first);
    controller.abort();
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => names.forEach((name) => process.off(name, onSignal)),
  };
}
