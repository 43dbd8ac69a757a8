import { FinetuneError } from '../../errors.js';
import type { ProgressEvent } from '../../progress.js';
import type { Machine, Wheel } from './wheels.js';

/** Tests name a machine, whose environment has pip's settings, proxies and the place of the cache. */
export interface SetupOptions extends Partial<Machine> {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** The wheel to take the library from. Tests, which make a small one of their own, replace it. */
  readonly wheel?: Wheel | undefined;
}

/** The error of a set-up step that fails here: the reason, and what a person can do about it. */
export function unavailable(message: string, fix: string, cause?: unknown): FinetuneError {
  return new FinetuneError({ code: 'E_ENGINE_SETUP', message, fix }, { cause });
}
