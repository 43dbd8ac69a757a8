import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../', import.meta.url)); // the clone, or the installed package

/** The command that installs the engine, in a clone and in a project that has the package. */
export const SETUP = existsSync(join(program, 'setup.mjs')) ? 'npm run setup' : 'npx finetune setup';
