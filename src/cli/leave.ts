import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

const isOpen = [0, 1, 2].map((descriptor) => isatty(descriptor));

/** Ends the process. At its end Node restores the settings of a terminal, and aborts (nodejs/node, `ResetStdio`) if that
 *  terminal has been closed meanwhile: such a terminal is closed here as well. */
export function leave(exitCode: number): never {
  for (const [descriptor, wasOpen] of isOpen.entries()) if (wasOpen && !isatty(descriptor)) closeSync(descriptor);
  process.exit(exitCode);
}
