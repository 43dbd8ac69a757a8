import { verifyBundle, type VerifyOptions } from '../bundle/verifyBundle.js';
import { writeBundle, type Bundled, type BundleOptions } from '../bundle/writeBundle.js';
import { printable } from '../printable.js';
import { NegativeResult } from './usage.js';
import { watched } from './watched.js';

/** `finetune bundle`: one file of a run. The last line on stdout is its path. */
export async function bundleCommand(run: string, options: BundleOptions, { json }: { json: boolean }): Promise<void> {
  const bundled = await writeBundle(run, options);
  if (json) console.log(JSON.stringify(bundled));
  else for (const line of describe(bundled)) console.error(printable(line));
  console.log(printable(bundled.file));
}

function describe({ files, bytes, sha256, dataLicenses, shortened }: Bundled): string[] {
  const licenses = dataLicenses.map(({ license, source }) => `${license} (${source})`);
  return [
    `${files.length} files, ${bytes} bytes, sha256 ${sha256}`,
    licenses.length > 0
      ? `licence of the data: ${licenses.join(', ')}`
      : 'licence of the data: unknown; say it with --data-license',
    ...(shortened.length > 0 ? [`paths of this machine were shortened in the recipe: ${shortened.join(', ')}`] : []),
  ];
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
