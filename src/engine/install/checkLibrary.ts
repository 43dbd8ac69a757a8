import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Library } from './findLibrary.js';
import { unavailable, type SetupOptions } from './setupOptions.js';

const CHECK_LIMIT = 120_000; // ms; it takes one second

/** Loads a library and prints its version. The process ends itself, since some libraries do not survive their unloading. */
const CHECK = `
  const library = require(process.argv[1]).load(process.argv[2]);
  require('fs').writeSync(1, library.func('const char* TF_Version()')());
  process.kill(process.pid, 'SIGKILL');`;

/** Loads the library in a process of its own: one that does not fit the processor ends its process without an exception.
 *  Returns its version. Throws E_ENGINE_SETUP. */
export async function checkLibrary({ main }: Library, { env = process.env, signal }: SetupOptions): Promise<string> {
  const koffi = createRequire(import.meta.url).resolve('koffi');
  const options = { env: { ...env, TF_CPP_MIN_LOG_LEVEL: '2' }, signal, timeout: CHECK_LIMIT };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['-e', CHECK, koffi, main], options, (error, stdout, stderr) => {
      if (signal?.aborted) reject(signal.reason as Error);
      else if (/^\d+\.\d+\.\d+/.test(stdout)) resolve(stdout);
      else reject(unavailable(`${main} does not load here (${reasonOf(error, stderr)})`, FIX, error));
    });
  });
}

const FIX = 'remove it if it is damaged; the processor must have AVX, and the system the libraries that it links';

function reasonOf(error: (Error & { signal?: string | null }) | null, stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim());
  const said = lines.find((line) => /^\w*Error:|compiled to use|cannot open/.test(line)) ?? lines.at(-1);
  return said?.trim().slice(0, 300) ?? (error?.signal ? `its process ends with ${error.signal}` : 'it has no version');
}
