import type { CAC } from 'cac';
import { wholeNumber } from '../usage.js';

interface BenchFlags {
  readonly image?: string | number;
  readonly rounds?: unknown;
  readonly save?: boolean;
  readonly json?: boolean;
}

export function defineBench(program: CAC): void {
  program
    .command('bench <model>', 'measure how fast a model is on this machine, by engine and format')
    .usage('bench <run, checkpoint, model folder or bundle> [--image FILE] [--json]')
    .option('--image <file>', 'image to predict for (default: a drawn one of 640 × 480 pixels)')
    .option('--rounds <number>', 'rounds in which each engine takes its turn (default: 8)')
    .option('--save', 'write bench.json into the run directory, from where a bundle takes it')
    .option('--json', 'print the report as one line of JSON')
    .action(async (model: string, { image, rounds, save, json = false }: BenchFlags) => {
      const options = {
        image: image === undefined ? undefined : String(image),
        rounds: rounds === undefined ? undefined : wholeNumber('--rounds', rounds, 1),
        save,
      };
      const { benchCommand } = await import('../bench.js');
      await benchCommand(model, options, { json });
    });
}
