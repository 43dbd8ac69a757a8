const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** A number with its unit: 90s, 5m, 1.5h. */
export const DURATION = /^\d+(\.\d+)?[smh]$/;

/** The seconds of a duration, which must match DURATION. */
export const secondsOf = (duration: string): number =>
  Number(duration.slice(0, -1)) * SECONDS[duration.at(-1) as keyof typeof SECONDS];
