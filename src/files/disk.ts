import { FinetuneError, type Problem } from '../errors.js';

/** Does work on the file system that writes `path`. Its errors are thrown as E_DISK_FULL, E_DISK_READ_ONLY or
 *  E_DISK_WRITE, with the path and a fix; `fix` replaces the usual one. All that this package writes goes through this folder, so that every command
 *  says the same about the same disk: eslint.config.js forbids the writing functions of node:fs elsewhere. */
export async function onDisk<T>(path: string, work: () => Promise<T>, fix?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(error, path, fix);
  }
}

/** As onDisk, for work that does not wait. */
export function onDiskSync<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskError(error, path);
  }
}

/** An error of the operating system at writing `path` as a problem with a fix. Other errors are returned as they are. */
export function diskError(error: unknown, path: string, fix?: string): unknown {
  if (!isFileError(error)) return error;
  const problem = PROBLEMS[error.code] ?? { code: 'E_DISK_WRITE', message: `cannot write: ${error.message}` };
  return new FinetuneError({ ...problem, where: { file: path }, ...(fix && { fix }) }, { cause: error });
}

/** An error of the operating system at reading a file that nothing expected, as E_DISK_READ with the path. Other errors
 *  are returned as they are. */
export function readError(error: unknown): unknown {
  if (!isFileError(error)) return error;
  const { path, message } = error;
  const said = message.replace(/^\w+: |, \w+( '.*)?$/g, ''); // "EACCES: permission denied, open 'x'"
  const fix = 'check that it exists, that its disk is there, and that you may read it';
  const where = path === undefined ? {} : { where: { file: path } };
  return new FinetuneError({ code: 'E_DISK_READ', message: `cannot read: ${said}`, ...where, fix }, { cause: error });
}

/** An error of Node's file functions. */
interface FileError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

const OF_THE_NETWORK = /^(ECONN|ETIMEDOUT|EPIPE|EAI_|ENOTFOUND|EHOST|ENET|EADDR|EPROTO|UND_|ERR_)/;

/** Whether the operating system refused a call on a file: not one of the network, and not the start of a program. */
function isFileError(error: unknown): error is FileError {
  const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
  return (
    typeof code === 'string' &&
    typeof syscall === 'string' &&
    !OF_THE_NETWORK.test(code) &&
    !syscall.startsWith('spawn')
  );
}

const FULL = {
  code: 'E_DISK_FULL',
  message: 'there is no room on the disk to write this',
  fix: 'free some space, or choose a folder on another disk',
} as const;
const READ_ONLY = {
  code: 'E_DISK_READ_ONLY',
  message: 'this may not be written',
  fix: 'change the permissions of the folder, or choose another one',
} as const;
const IN_THE_WAY = {
  code: 'E_DISK_WRITE',
  message: 'there is a file where a folder should be',
  fix: 'choose another folder, or move that file away',
} as const;
const write = (message: string, fix: string): Problem => ({ code: 'E_DISK_WRITE', message, fix });

/** By the code of the operating system. */
const PROBLEMS: Readonly<Record<string, Problem>> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, message: 'your quota on this disk is used up' },
  EFBIG: {
    ...FULL,
    message: 'this file is larger than the limit on the size of a file (ulimit -f, or the file system)',
  },
  EACCES: READ_ONLY,
  EPERM: READ_ONLY,
  EROFS: { ...READ_ONLY, message: 'this disk may not be written', fix: 'choose a folder on another disk' },
  EEXIST: IN_THE_WAY,
  ENOTDIR: IN_THE_WAY,
  ENOENT: write(
    'there is no such folder to write into',
    'make the folder (for temporary files it is the one that TMPDIR names), or choose another one',
  ),
  EISDIR: write('there is a folder where a file should be written', 'choose another name, or move that folder away'),
  ENAMETOOLONG: write('this name is too long for the disk', 'choose a shorter one'),
  EMFILE: write('this process has too many open files', 'raise the limit: ulimit -n 4096'),
  EIO: write('the disk failed', 'choose a folder on another disk'),
};
