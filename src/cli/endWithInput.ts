import { leave } from './leave.js';

/** Milliseconds in which the work can be saved. */
const PATIENCE = 5000;

/** Ends this process like SIGTERM when its input ends: `finetune launch` holds the other end, through ssh, which passes no
 *  signals on. */
export function endWithInput(): void {
  process.stdin.on('error', () => undefined);
  process.stdin.once('close', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => leave(143), PATIENCE).unref();
  });
  process.stdin.resume();
}
