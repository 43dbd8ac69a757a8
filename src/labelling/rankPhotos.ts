import { basename } from 'node:path';
import { readThumbnail } from '../data/likeness/thumbnail.js';
import { FinetuneError } from '../errors.js';
import type { OpenedModel } from '../predict/openModel.js';
import type { PredictAllOptions, Predicted } from '../predict/pipeline.js';
import { chooseDiverse, type Candidate } from './chooseDiverse.js';
import { classifierDoubt, detectorDoubt, type Uncertainty } from './uncertainty.js';

/** A photo without labels, in the order in which labelling them teaches most. */
export interface RankedPhoto {
  readonly file: string;
  /** Uncertainty × diversity, 0…1. */
  readonly value: number;
  readonly uncertainty: number;
  readonly reason: string;
  /** A photo before it that looks alike, and their correlation. */
  readonly like?: { readonly file: string; readonly correlation: number };
}

export interface RankOptions extends Pick<PredictAllOptions, 'signal' | 'onProgress'> {
  /** Score of a detector's objects. */
  readonly threshold: number;
}

/** Correlation from which a reason names the photo that looks alike. */
const ALIKE = 0.85;

/** Orders photos by what labelling them would teach this model. Photos that cannot be read are counted.
 *  Throws E_SUSPECTS for a model of scene text. */
export async function rankPhotos(
  files: readonly string[],
  model: OpenedModel,
  { threshold, ...options }: RankOptions,
): Promise<{ readonly photos: RankedPhoto[]; readonly unreadable: number }> {
  const doubts = await doubtsOf(model, files, threshold, options);
  const candidates: (Candidate & Pick<RankedPhoto, 'reason'>)[] = [];
  for (const [i, doubt] of doubts.entries()) {
    if (!doubt) continue;
    options.signal?.throwIfAborted();
    const file = files[i]!;
    const { value: uncertainty, reason } = doubt;
    candidates.push({ file, uncertainty, reason, thumbnail: await readThumbnail(file) });
  }
  const photos = chooseDiverse(candidates).map(({ index, value, like }): RankedPhoto => {
    const { file, uncertainty, reason } = candidates[index]!;
    if (!like) return { file, value, uncertainty, reason };
    const other = candidates[like.index]!.file;
    const told = like.correlation >= ALIKE ? `${reason}; looks like ${basename(other)}` : reason;
    return { file, value, uncertainty, reason: told, like: { file: other, correlation: like.correlation } };
  });
  return { photos, unreadable: files.length - candidates.length };
}

function doubtsOf(
  model: OpenedModel,
  files: readonly string[],
  threshold: number,
  options: Pick<PredictAllOptions, 'signal' | 'onProgress'>,
): Promise<(Uncertainty | undefined)[]> {
  switch (model.task) {
    case 'detection':
      return each(model.predictAll(files, options), (found) => detectorDoubt(found, threshold));
    case 'classification': {
      const classes = model.description.categories.length;
      return each(model.predictAll(files, options), (found) => classifierDoubt(found, classes));
    }
    case 'text':
      throw new FinetuneError({
        code: 'E_SUSPECTS',
        message: 'photos are ranked by a detector of objects or a classifier, and this model finds text',
        fix: 'choose the photos with many words that predict finds with low scores (--json)',
      });
  }
}

async function each<Found>(
  predictions: AsyncIterable<Predicted<Found>>,
  judge: (found: readonly Found[]) => Uncertainty,
): Promise<(Uncertainty | undefined)[]> {
  const doubts: (Uncertainty | undefined)[] = [];
  for await (const result of predictions) doubts.push(result.error ? undefined : judge(result.predictions));
  return doubts;
}
