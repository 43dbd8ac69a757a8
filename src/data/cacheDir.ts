import { homedir } from 'node:os';
import { join } from 'node:path';

/** The package's cache, as weights/cache.ts has it. */
export const cacheDir = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tfjs-finetune');
