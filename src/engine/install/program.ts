import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const MEGABYTE = 1 << 20;

/** Runs a program and returns what it printed. Throws an Error with the last line of its stderr, or the line that names the error. */
export async function run(
  program: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; signal?: AbortSignal | undefined; timeout: number; cwd?: string; shell?: boolean },
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      ...options,
      encoding: 'utf8',
      maxBuffer: 64 * MEGABYTE,
    });
    return stdout.trim();
  } catch (cause) {
    options.signal?.throwIfAborted();
    const {
      code,
      signal,
      killed,
      stderr = '',
    } = cause as { [key in 'code' | 'signal' | 'stderr']?: string } & { killed?: boolean };
    const lines = stderr.split('\n').filter((line) => line.trim());
    const said = lines.find((line) => /connection broken|^(?:npm )?\w*error:?/i.test(line)) ?? lines.at(-1);
    const ended = killed ? `it did not end within ${options.timeout / 1000} s` : (signal ?? `exit code ${code ?? '?'}`);
    throw new Error(`${program}: ${said?.trim().slice(0, 300) ?? ended}`, { cause });
  }
}
