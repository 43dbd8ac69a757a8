import { readFileSync, writeFileSync } from 'node:fs';

/** Restarts the measurement of peak memory. Only Linux can; elsewhere the peak counts from the start of the process. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // only Linux has this file, and not every container allows writing it
  }
}

/** Peak resident memory of the process, in bytes. */
export function peakBytes(): number {
  try {
    const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kibibytes !== undefined) return 1024 * Number(kibibytes);
  } catch {
    // there is no such file: ask Node
  }
  return 1024 * process.resourceUsage().maxRSS;
}
