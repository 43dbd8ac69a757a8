import { rankPhotos, type RankedPhoto } from '../labelling/rankPhotos.js';
import { findInputs } from '../predict/inputs/findInputs.js';
import { openModel } from '../predict/openModel.js';
import { printable } from '../printable.js';
import { table } from './table.js';
import { watched } from './watched.js';
import { UsageError } from './usage.js';

export interface NextCommand {
  /** A run directory, a checkpoint or a model folder. */
  readonly model: string;
  readonly json?: boolean;
}

/** Photos that are printed; the JSON has all of them. */
const MOST_ROWS = 30;
/** Least score that is looked at. */
const LEAST_SCORE = 0.01;
/** Score of a detector's objects, where the run measured none. */
const USUAL_THRESHOLD = 0.3;

/** `finetune check --next`: photos without labels, in the order in which labelling them teaches most. A table goes to
 *  stderr, the JSON to stdout. */
export async function next(folder: string, { model: uri, json = false }: NextCommand): Promise<void> {
  const { photos, unreadable } = await watched(async (hooks) => {
    const inputs = await findInputs([folder], hooks);
    const files = inputs.flatMap((input) => ('path' in input && typeof input.path === 'string' ? [input.path] : []));
    if (files.length === 0) throw new UsageError('--next ranks the photos of a folder on this machine: name one');
    const model = await openModel(uri, { ...hooks, scoreThreshold: LEAST_SCORE });
    try {
      const threshold = model.measuredThreshold ?? USUAL_THRESHOLD;
      const ranked = await rankPhotos(files, model, { threshold, ...hooks });
      return { ...ranked, unreadable: ranked.unreadable + inputs.length - files.length };
    } finally {
      model.dispose();
    }
  });
  const rows = photos
    .slice(0, MOST_ROWS)
    .map(({ file, value, reason }) => [printable(file), value.toFixed(2), printable(reason)]);
  console.error(table([['photo', 'value', 'why'], ...rows]));
  const broken = unreadable > 0 ? `; ${unreadable} cannot be read` : '';
  console.error(`\nthe first ${rows.length} of ${photos.length} photos${broken}`);
  if (json) console.log(JSON.stringify({ unreadable, photos: photos.map(rounded) }));
}

function rounded({ file, value, uncertainty, reason, like }: RankedPhoto): object {
  const short = (number: number): number => Number(number.toFixed(4));
  return {
    ...{ file, value: short(value), uncertainty: short(uncertainty), reason },
    ...(like && { like: { file: like.file, correlation: short(like.correlation) } }),
  };
}
