import { openSystem } from '../native.js';

/** Ends the process at once, where the system can. `process.exit` would wait for the calls that run on other threads: a
 *  step can take many seconds. Node's handlers of the process's end do not run. */
export function exitNow(exitCode: number): void {
  if (process.platform !== 'win32') openSystem().func('void _exit(int)')(exitCode);
}
