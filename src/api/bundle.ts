import { z } from 'zod';
import { verifyBundle as verify, type Verified, type VerifyOptions } from '../bundle/verifyBundle.js';
import { writeBundle as write, type Bundled, type BundleOptions } from '../bundle/writeBundle.js';
import { checkArgument, checkText, hooks } from './arguments.js';

const text = z.string().min(1);
const writing = z.strictObject({ out: text.optional(), dataLicense: text.optional() });
const verifying = z.strictObject({ ...hooks, set: z.array(text).optional(), hashesOnly: z.boolean().optional() });

/** Packs a finished run into one file that `openModel` and `serve` read: the best weights, the recipe, the metrics, exported
 *  models in the run directory, and the licences. Throws E_USAGE, E_MODEL_PATH, E_BUNDLE_OUT. */
export async function writeBundle(run: string, options: BundleOptions = {}): Promise<Bundled> {
  checkText('run', run);
  checkArgument('options', writing, options);
  return write(run, options);
}

/** Checks that not a byte of a bundle has changed, and scores it again where its data is at hand.
 *  Throws E_USAGE, E_BUNDLE_DAMAGED. */
export async function verifyBundle(file: string, options: VerifyOptions = {}): Promise<Verified> {
  checkText('file', file);
  checkArgument('options', verifying, options);
  return verify(file, options);
}
