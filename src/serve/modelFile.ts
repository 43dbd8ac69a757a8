import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../files/hashFile.js';
import { CARD_FILE } from '../modelFolder/card.js';
import { locateModel, type Located } from '../predict/locateModel.js';

/** The file that changes when a model does: the best weights of a run, a checkpoint, or the card of a model folder, which
 *  has the hashes of its files. Undefined for what is fetched from elsewhere. */
export function fileOfModel(located: Located): string | undefined {
  if ('folder' in located) return join(located.folder, CARD_FILE);
  const [, scheme, path] = /^(run|file):(.*)$/.exec(located.uri) ?? [];
  if (path === undefined) return undefined;
  return scheme === 'run' ? join(path, 'checkpoints', 'best.safetensors') : path;
}

/** sha256 that names a model. */
export async function hashOfModel(located: Located): Promise<string> {
  const file = fileOfModel(located);
  return file === undefined ? 'unknown' : hashFile(file);
}

/** Calls `changed` when the file of the model at a path was replaced, looking every so many milliseconds. A network disk
 *  tells no program of changes, so this asks. Returns what stops it. */
export async function watchModel(path: string, every: number, changed: () => Promise<void>): Promise<() => void> {
  const isFile = await stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
  const file = isFile ? path : fileOfModel(await locateModel(path));
  if (file === undefined || every === 0) return () => undefined;
  const stamp = () =>
    stat(file).then(
      ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
      () => undefined, // it is being replaced
    );
  let known: string | undefined;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const now = await stamp();
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
}
