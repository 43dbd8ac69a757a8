import type { ProgressEvent } from '../../progress.js';
import type { Limits } from '../../fetch/limits.js';

export interface SourceOptions {
  readonly signal?: AbortSignal;
  /** Called at each step that takes time, and for downloads with the bytes so far. */
  readonly onProgress?: (event: ProgressEvent) => void;
  /** Folder of the downloaded files. Default: $XDG_CACHE_HOME/tfjs-finetune or ~/.cache/tfjs-finetune. */
  readonly cacheDir?: string;
  /** Folder that relative paths start from. Default: the working directory. */
  readonly baseDir?: string;
  /** Limits of downloads. Default: LIMITS. */
  readonly limits?: Partial<Limits>;
}
