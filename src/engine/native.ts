import { createRequire } from 'node:module';

/** Calls into libraries that are written in C. */

/** An address in the memory of a library. */
export type Pointer = bigint;
/** Memory that a C function reads or writes: an address, or the bytes behind an array. */
export type Memory = Pointer | NodeJS.TypedArray | null;

/** A function of a library. koffi types neither its arguments nor its result. */
export interface Foreign {
  (...args: readonly unknown[]): unknown;
  async: (...args: readonly unknown[]) => void;
}
export interface Library {
  func(declaration: string): Foreign;
}
interface Koffi {
  load(path: string | null): Library;
  proto(declaration: string): object;
  decode(address: Pointer, type: object): Foreign;
}

const koffi = (): Koffi => createRequire(import.meta.url)('koffi') as Koffi;

/** Flags of dlopen. RTLD_NODELETE: the process crashes at its end (exit code 139) if the library is unloaded. */
const DLOPEN = { linux: { now: 2, nodelete: 0x1000 }, darwin: { now: 2, nodelete: 0x80 } } as const;
/** The library of the C runtime that has memcpy. On other systems the process itself has it. */
const C_RUNTIME = process.platform === 'win32' ? 'ucrtbase.dll' : null;

/** The functions of the C runtime. */
export const openSystem = (): Library => koffi().load(C_RUNTIME);

/** Loads a library for as long as the process lives. Throws an Error with the reason of the system's loader. */
export function openLibrary(path: string): Library {
  const { platform } = process;
  if (platform === 'linux' || platform === 'darwin') pin(openSystem(), path, DLOPEN[platform]);
  return koffi().load(path);
}

function pin(system: Library, path: string, { now, nodelete }: { now: number; nodelete: number }): void {
  const open = system.func('void* dlopen(const char*, int)');
  const lastError = system.func('const char* dlerror()');
  if (open(path, now | nodelete) === null) throw new Error(lastError() as string);
}

/** The function at an address; `declaration` has its types and any name. */
export const functionAt = (address: Pointer, declaration: string): Foreign =>
  koffi().decode(address, koffi().proto(declaration));

/** Calls a function that may take long on a thread of its own. */
export const started =
  (foreign: Foreign) =>
  (...args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      foreign.async(...args, (error: Error | null, result: unknown) => {
        if (error) reject(error);
        else resolve(result);
      });
    });
