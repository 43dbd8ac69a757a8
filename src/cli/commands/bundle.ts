import type { CAC } from 'cac';
import { SET } from './shared.js';

interface BundleFlags {
  readonly out?: string | number;
  readonly dataLicense?: string | number;
  readonly json?: boolean;
}

const text = (value: string | number | undefined) => (value === undefined ? undefined : String(value));

export function defineBundle(program: CAC): void {
  program
    .command('bundle <run>', 'pack a finished run into one file that predict, serve and export read')
    .option('--out <file>', 'file to write (default: the name of the run with .zip, beside it)')
    .option(
      '--data-license <name>',
      'licence of the training data, such as CC-BY-4.0 (default: what the folder of the data states)',
    )
    .option('--json', 'print what was written as one line of JSON')
    .action(async (run: string, { out, dataLicense, json = false }: BundleFlags) => {
      const { bundleCommand } = await import('../bundle.js');
      await bundleCommand(run, { out: text(out), dataLicense: text(dataLicense) }, { json });
    });
}

export function defineVerify(program: CAC): void {
  program
    .command('verify <bundle>', 'check that not a byte of a bundle has changed, and score it again if its data is here')
    .option('--hashes-only', 'leave out the score')
    .option(...SET)
    .option('--json', 'print the verdict as one line of JSON')
    .action(async (file: string, flags: { hashesOnly?: boolean; set?: readonly string[]; json?: boolean }) => {
      const { hashesOnly, set, json = false } = flags;
      const { verifyCommand } = await import('../bundle.js');
      await verifyCommand(file, { hashesOnly, set }, { json });
    });
}
