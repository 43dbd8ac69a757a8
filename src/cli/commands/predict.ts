import type { CAC } from 'cac';
import { LEAST_OVERLAP, LEAST_TILE, MOST_OVERLAP } from '../../geometry/tiles.js';
import type { PredictCommand } from '../predict.js';
import { numberWithin, oneOf, UsageError, wholeNumber } from '../usage.js';
import { ENGINES } from './shared.js';

/** What program.ts puts in the place of `-`, which cac takes for a flag. No argument of a process can have a NUL. */
export const STDIN_ARGUMENT = '\0stdin';

/** The flags as cac gives them: values that look like numbers are numbers, and what follows `--` is apart. */
interface PredictFlags {
  readonly '--'?: readonly string[];
  readonly out?: string | number;
  readonly overwrite?: boolean;
  readonly csv?: boolean;
  readonly crops?: boolean;
  readonly json?: boolean;
  readonly threshold?: unknown;
  readonly tile?: unknown;
  readonly overlap?: unknown;
  readonly engine?: string;
}

export function definePredict(program: CAC): void {
  program
    .command('predict <model> [...images]', 'find objects, words or the class in photos with a trained model')
    .usage(
      'predict <run, checkpoint or model folder> <images, folders, patterns, ->… [--out DIR] [--json] [--threshold T] [--tile PIXELS]',
    )
    .option('--threshold <score>', 'least score of what is shown (default: the best one on the validation part)')
    .option('--json', 'print the predictions as one JSON array')
    .option('--out <dir>', 'draw the predictions on copies of the images in this new folder')
    .option('--csv', 'write predictions.csv into --out')
    .option('--crops', 'write what was found, cut out of its image, into --out')
    .option('--overwrite', 'replace files of the same names in --out, which may then have files')
    .option(
      '--tile <pixels>',
      'read larger images in tiles of this side, to find what is small in them; none for whole images (default: as in training)',
    )
    .option('--overlap <share>', 'share of a tile that the next one repeats (default: 0.2)')
    .option('--engine <engine>', `engine to compute with: ${ENGINES.join(', ')}`)
    .action(async (model: string, images: readonly string[], flags: PredictFlags) => {
      const command = readFlags(images, flags);
      const { predict } = await import('../predict.js');
      await predict(model, command);
    });
}

function readFlags(words: readonly string[], flags: PredictFlags): PredictCommand {
  const { out, overwrite = false, csv = false, crops = false, json = false, threshold, engine = 'auto' } = flags;
  const { tile, overlap } = flags;
  if (overlap !== undefined && (tile === undefined || tile === 'none'))
    throw new UsageError('--overlap needs --tile, the side of a tile');
  const images = [...words, ...(flags['--'] ?? [])].map((word) => (word === STDIN_ARGUMENT ? '-' : word));
  if (images.length === 0) throw new UsageError('no images given: name files, folders, patterns in quotes, or -');
  for (const [flag, isSet] of Object.entries({ '--csv': csv, '--crops': crops, '--overwrite': overwrite }))
    if (isSet && out === undefined) throw new UsageError(`${flag} needs --out, the folder to write to`);
  return {
    images,
    json,
    csv,
    crops,
    overwrite,
    out: out === undefined ? undefined : String(out),
    threshold: threshold === undefined ? undefined : numberWithin('--threshold', threshold, 0, 1),
    tiles: tile === undefined ? undefined : tile !== 'none' && tilesOf(tile, overlap),
    engine: oneOf('--engine', engine, ENGINES),
  };
}

const tilesOf = (tile: unknown, overlap: unknown) => ({
  size: wholeNumber('--tile', tile, LEAST_TILE),
  ...(overlap !== undefined && { overlap: numberWithin('--overlap', overlap, LEAST_OVERLAP, MOST_OVERLAP) }),
});
