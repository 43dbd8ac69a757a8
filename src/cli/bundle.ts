import { verifyBundle, type VerifyOptions } from '../bundle/verifyBundle.js';
import { writeBundle, type BundleOptions } from '../bundle/writeBundle.js';
import { printable } from '../printable.js';
import { NegativeResult } from './usage.js';
import { watched } from './watched.js';

/** `finetune bundle`: one file of a run. The last line on stdout is its path. */
export async function bundleCommand(run: string, options: BundleOptions, { json }: { json: boolean }): Promise<void> {
  const bundled = await writeBundle(run, options);
  if (json) console.log(JSON.stringify(bundled));
  else console.error(`${bundled.files.length} files, ${bundled.bytes} bytes, sha256 ${bundled.sha256}`);
  console.log(printable(bundled.file));
}

/** `finetune verify`: exit code 1 if the score is another one now. */
export async function verifyCommand(file: string, options: VerifyOptions, { json }: { json: boolean }): Promise<void> {
  const verified = await watched((hooks) => verifyBundle(file, { ...options, ...hooks }));
  const { sha256, files, score, why, isRight } = verified;
  if (json) console.log(JSON.stringify(verified));
  else {
    console.log(`not a byte has changed: ${files} files, sha256 ${sha256}`);
    if (score) console.log(`${score.name} ${score.now.toFixed(4)}, in the bundle ${score.bundle.toFixed(4)}`);
    else console.log(printable(`the score was not measured again: ${why!}`));
  }
  if (!isRight) throw new NegativeResult();
}
