import { serve, type Serving } from '../serve/serve.js';
import type { ServeOptions } from '../serve/options.js';
import { printable } from '../printable.js';
import { watched } from './watched.js';

/** `finetune serve`: answers until a signal stops it; then it answers the requests in hand, and the exit code is 0. The
 *  first line on stdout is the address. */
export const serveCommand = (path: string, options: ServeOptions): Promise<void> =>
  watched(async ({ signal, onProgress }) => {
    const serving = await serve(path, { ...options, onProgress });
    console.log(serving.url);
    onProgress({ message: describe(serving) });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
    await serving.close();
  }, 'stopping: the requests in hand are answered');

function describe({ url, model }: Serving): string {
  const { task, classes, scoreThreshold, sha256 } = model();
  const what = task === 'text' ? 'finds words' : `${task} of ${classes.length} classes`;
  return printable(
    `model ${sha256.slice(0, 12)}: ${what}, least score ${scoreThreshold.toFixed(2)}; try: curl -F image=@photo.jpg ${url}/predict`,
  );
}
