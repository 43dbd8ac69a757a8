import { readFileSync, writeFileSync } from 'node:fs';

/** Starts measuring the largest memory of the process anew, where the system can (Linux); elsewhere it counts from the start. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // only Linux has it, and not in every container
  }
}

/** The largest resident memory of the process, bytes. */
export function peakBytes(): number {
  try {
    const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kibibytes !== undefined) return 1024 * Number(kibibytes);
  } catch {
    // below
  }
  return 1024 * process.resourceUsage().maxRSS;
}
