import type { CAC } from 'cac';
import { wholeNumber } from '../usage.js';

interface BenchFlags {
  readonly image?: string | number;
  readonly rounds?: unknown;
  readonly int8?: boolean;
  readonly browser?: string | boolean;
  readonly save: boolean;
  readonly json?: boolean;
}

export function defineBench(program: CAC): void {
  program
    .command('bench <model>', 'measure how fast a model is on this machine, by engine and format')
    .usage('bench <run, checkpoint, model folder or bundle> [--image FILE] [--json]')
    .option('--image <file>', 'image to predict for (default: a drawn one of 640 × 480 pixels)')
    .option('--rounds <number>', 'rounds in which each engine takes its turn (default: 8)')
    .option('--int8', 'measure the model in int8, too, which is exported first; that takes minutes')
    .option('--browser [file]', 'browser to measure (default: CHROME_PATH, or a Chromium that is found)')
    .option('--no-browser', 'measure no browser')
    .option('--no-save', 'do not write bench.json into the run directory, nor the table into its report.html')
    .option('--json', 'print the report as one line of JSON')
    .action(async (model: string, { image, rounds, int8, browser, save, json = false }: BenchFlags) => {
      const options = {
        image: image === undefined ? undefined : String(image),
        rounds: rounds === undefined ? undefined : wholeNumber('--rounds', rounds, 1),
        browser: browser === true ? undefined : browser,
        ...{ int8, save },
      };
      const { benchCommand } = await import('../bench.js');
      await benchCommand(model, options, { json });
    });
}
