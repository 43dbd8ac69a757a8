import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { FinetuneError } from '../errors.js';

const require = createRequire(import.meta.url);

/** The folder of a package's main file. Throws E_ENGINE_UNAVAILABLE, with this fix, if the package is not installed. */
export function packageFolder(name: string, fix: string): string {
  try {
    return dirname(require.resolve(name));
  } catch (error) {
    const message = `the package ${name}, which runs the model in the page, is not installed`;
    throw new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message, fix }, { cause: error });
  }
}
