import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../files/hashFile.js';
import { CARD_FILE } from '../modelFolder/card.js';
import { locateModel, type Located } from '../predict/locateModel.js';
import { METRICS_FILE } from '../predict/measured.js';

/** The files that change when a model does. The first names it: the best weights of a run, a checkpoint, or the card of
 *  a model folder, which has the hashes of its files. A run's metrics, which have its threshold, may be written later.
 *  Empty for what is fetched from elsewhere. */
function filesOfModel(located: Located): readonly string[] {
  if ('folder' in located) return [join(located.folder, CARD_FILE)];
  const [, scheme, path] = /^(run|file):(.*)$/.exec(located.uri) ?? [];
  if (path === undefined) return [];
  return scheme === 'run' ? [join(path, 'checkpoints', 'best.safetensors'), join(path, METRICS_FILE)] : [path];
}

/** sha256 that names a model. */
export async function hashOfModel(located: Located): Promise<string> {
  const [file] = filesOfModel(located);
  return file === undefined ? 'unknown' : hashFile(file);
}

/** Begins to watch the files of the model at a path, before it is opened, so that no change is missed. What is returned
 *  calls `changed` when one was replaced, looking every so many milliseconds, and returns what stops it. A network disk
 *  tells no program of changes, so this asks. Throws as locateModel does. */
export async function watchModel(path: string, every: number): Promise<(changed: () => Promise<void>) => () => void> {
  const isFile = await stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
  const files = isFile ? [path] : filesOfModel(await locateModel(path));
  if (files.length === 0 || every === 0) return () => () => undefined;
  let known = await stampOf(files);
  return (changed) => {
    let isStopped = false;
    let timer: NodeJS.Timeout | undefined;
    const look = async (): Promise<void> => {
      const now = await stampOf(files);
      const isNew = known !== undefined && now !== undefined && now !== known;
      known = now ?? known;
      if (isNew && !isStopped) await changed();
      if (!isStopped) timer = setTimeout(() => void look(), every).unref();
    };
    void look();
    return () => {
      isStopped = true;
      clearTimeout(timer);
    };
  };
}

/** What changes when a file does; undefined while the first of them is being replaced. */
async function stampOf(files: readonly string[]): Promise<string | undefined> {
  const stamps = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
        () => undefined,
      ),
    ),
  );
  return stamps[0] && stamps.join();
}
