const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** A number and its unit: 90s, 5m, 1.5h. */
export const DURATION = /^\d+(\.\d+)?[smh]$/;

/** Seconds of a text that DURATION fits. */
export const secondsOf = (duration: string): number =>
  Number(duration.slice(0, -1)) * SECONDS[duration.at(-1) as keyof typeof SECONDS];
