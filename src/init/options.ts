import type { ProgressEvent } from '../progress.js';
import type { Asked } from './recognise.js';

export interface InitOptions extends Asked {
  /** File of the recipe, from which the path of the data counts. */
  readonly file: string;
  /** Settings of the command line, `key=value`: they count while the data is opened and the rest is chosen. */
  readonly set?: readonly string[] | undefined;
  /** Milliseconds that one image may take on this machine. */
  readonly latency?: number | undefined;
  /** Time that the run may take: 10m. */
  readonly time?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}
