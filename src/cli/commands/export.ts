import type { CAC } from 'cac';
import { DEMO_FORMATS } from '../../demo/content.js';
import { FORMATS, NMS_PLACES, QUANTIZATIONS, TARGETS } from '../../export/names.js';
import { numberWithin, oneOf, UsageError, wholeNumber } from '../usage.js';

interface ExportFlags {
  readonly format?: string;
  readonly for?: string;
  readonly quantize?: string;
  readonly nms?: string;
  readonly out?: string | number;
  readonly images?: string | number;
  readonly tolerance?: unknown;
  readonly demo?: boolean;
  readonly with?: string | readonly string[];
  readonly samples?: unknown;
  readonly json?: boolean;
}

const text = (value: string | number | undefined) => (value === undefined ? undefined : String(value));

export function defineExport(program: CAC): void {
  program
    .command('export <model>', 'write a trained model for other programs, and prove that it finds the same')
    .usage(
      'export <run or checkpoint> --format onnx [--for APPLICATION] [--demo] [--quantize int8] [--nms out] [--out DIR] [--images FOLDER] [--json]',
    )
    .option('--format <format>', `format of the model: ${FORMATS.join(', ')}`)
    .option('--for <application>', `application to write the model for: ${TARGETS.join(', ')}`)
    .option('--quantize <type>', `type to compute with, for a smaller model: ${QUANTIZATIONS.join(', ')}`)
    .option(
      '--nms <place>',
      'where non-maximum suppression runs: out, in the program that runs the model (default), in the model, or none',
    )
    .option('--out <dir>', 'new folder for the model (default: one called as the format in the run directory)')
    .option('--images <folder>', "images to compare outputs on, where the run's own data is gone")
    .option(
      '--tolerance <loss>',
      'loss of the score that --quantize may cost (default: 0.002 for float16, 0.01 for int8)',
    )
    .option('--demo', 'write a web page that runs the model, with all that it needs, instead of the model alone')
    .option('--with <folder>', 'with --demo: another model folder that the page offers (repeatable)', {
      type: [String],
    })
    .option('--samples <number>', 'with --demo: number of sample images, from the validation part (default: 6)')
    .option('--json', 'print the card of the model as one line of JSON')
    .action(async (model: string, flags: ExportFlags) => {
      const { format, for: target, quantize, nms, tolerance, demo = false, json = false } = flags;
      if (!demo && (flags.samples !== undefined || flags.with !== undefined))
        throw new UsageError('--samples and --with belong to --demo');
      if (demo && target !== undefined) throw new UsageError('leave one of --demo and --for out');
      if (!demo && format === undefined && target === undefined) throw new UsageError('--format is missing');
      const options = {
        quantize: quantize === undefined ? undefined : oneOf('--quantize', quantize, QUANTIZATIONS),
        nms: nms === undefined ? undefined : oneOf('--nms', nms, NMS_PLACES),
        out: text(flags.out),
        images: text(flags.images),
        tolerance: tolerance === undefined ? undefined : numberWithin('--tolerance', tolerance, 0, 1),
      };
      const { exportCommand, exportDemoCommand } = await import('../export.js');
      if (demo)
        await exportDemoCommand(
          model,
          {
            ...options,
            format: format === undefined ? undefined : oneOf('--format with --demo', format, DEMO_FORMATS),
            with: [flags.with ?? []].flat().map(String),
            samples: flags.samples === undefined ? undefined : wholeNumber('--samples', flags.samples, 0),
          },
          { json },
        );
      else
        await exportCommand(
          model,
          {
            ...options,
            format: format === undefined ? undefined : oneOf('--format', format, FORMATS),
            for: target === undefined ? undefined : oneOf('--for', target, TARGETS),
          },
          { json },
        );
    });
}
