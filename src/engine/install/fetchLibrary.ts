import { readdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FinetuneError } from '../../errors.js';
import { diskError } from '../../files/disk.js';
import { discard, makeFolder, makeWhole, remove } from '../../files/folders.js';
import { withLock } from '../../files/lock.js';
import { discardPart, sizeOf } from '../../fetch/part.js';
import { fetchWheel } from './fetchWheel.js';
import { findLibrary } from './findLibrary.js';
import { unavailable, type SetupOptions } from './setupOptions.js';
import { unpackWheel } from './unpackWheel.js';
import { cacheDirectory, libraryDirectory, machineOf, wheelFor, type Machine, type Wheel } from './wheels.js';

/** Puts TensorFlow's C library into the cache, unless it is there. A second process waits for the first. What a process that
 *  was killed has left is used (the part of the wheel that has come) or removed. Nothing is taken out of a wheel with another
 *  sha256 than the one in wheels.ts. Throws E_ENGINE_SETUP if this machine or its network does not allow it, E_DISK_…. */
export async function fetchLibrary(options: SetupOptions): Promise<void> {
  const { signal, onProgress } = options;
  const machine = machineOf(options);
  const { env } = machine;
  const wheel = options.wheel ?? wheelFor(machine);
  if (!wheel) throw noWheel(machine);
  const target = libraryDirectory(machine);
  const isThere = (): boolean => findLibrary({ ...machine, sources: ['wheel'], unusable: [] }) !== undefined;
  const part = join(cacheDirectory(env), 'partial', `${wheel.file}.part`);
  try {
    await makeFolder(cacheDirectory(env));
    await withLock(join(cacheDirectory(env), 'partial', `${basename(target)}.lock`), signal, async () => {
      if (isThere()) return;
      await removeRests(target);
      await checkRoom(wheel, part);
      const file = await fetchWheel(wheel, part, options);
      onProgress?.({ message: `unpacking libtensorflow to ${target}` });
      await makeWhole(
        target,
        (temporary) => unpackWheel(file, wheel, join(temporary, 'lib'), signal),
        () => Promise.resolve(isThere()),
      );
      await discardPart(part).catch(() => undefined);
      await discard(`${part}.pip`);
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw diskError(error, target);
  }
}

const noWheel = ({ platform, arch }: Machine): FinetuneError =>
  unavailable(
    `no pip wheel holds TensorFlow's C library for ${platform} ${arch}`,
    "take tfjs-node's own download, whose hash is not known: npm install @tensorflow/tfjs-node --ignore-scripts=false",
  );

/** Removes what killed processes have left, and a library that lacks a file. The lock is held: no other process of this
 *  version works here. Those of earlier ones made folders `partial-…`, for half an hour at most. */
async function removeRests(target: string): Promise<void> {
  const folder = dirname(target);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const isOld = async (): Promise<boolean> => Date.now() - (await stat(path)).mtimeMs > 3600_000;
    const isRest =
      path === target ||
      (name.startsWith(`${basename(target)}.`) && name.endsWith('.tmp')) ||
      (/^partial-\w{6}$/.test(name) && (await isOld().catch(() => false)));
    if (isRest) await remove(path);
  }
}

/** Throws E_DISK_FULL before anything is downloaded, if the disk has no room for the rest of the wheel and for the library. */
async function checkRoom({ bytes, unpacked }: Wheel, part: string): Promise<void> {
  const folder = dirname(part);
  const { bavail, bsize } = await statfs(folder);
  const needed = bytes - (await sizeOf(part)) + unpacked;
  if (bavail * bsize >= needed) return;
  const megabytes = (count: number): string => `${Math.ceil(count / 1e6)} MB`;
  throw new FinetuneError({
    code: 'E_DISK_FULL',
    message: `TensorFlow's C library needs ${megabytes(needed)} here, and ${megabytes(bavail * bsize)} are free`,
    where: { file: folder },
    fix: 'free some space, or set XDG_CACHE_HOME to a folder on another disk',
  });
}
