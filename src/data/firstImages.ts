import type { Annotation, Dataset } from './sample.js';

/** The first images of a part with their ground truth: a small data set to try something out. */
export function firstImages(dataset: Dataset, images: number): Dataset {
  const { old } = dataset;
  const known = old ? Math.max(1, Math.round(old.share * images)) : 0;
  const fresh = dataset.annotations.slice(0, Math.min(images - known, old?.from ?? Infinity));
  const annotations = [...fresh, ...(old ? dataset.annotations.slice(old.from, old.from + known) : [])];
  return {
    ...dataset,
    annotations,
    repeat: dataset.repeat?.slice(0, images),
    ...(old && { old: { ...old, from: fresh.length } }),
    toCoco: cocoOf(dataset, annotations),
  };
}

/** So many images of a part, spread evenly over it: a folder for each class lists one class after the other. */
export function spreadImages(dataset: Dataset, most: number): Dataset {
  const { length } = dataset.annotations;
  const count = Math.min(most, length);
  const rows = Array.from({ length: count }, (_, i) => Math.floor((i * length) / count));
  return withImages(
    dataset,
    rows.map((row) => dataset.annotations[row]!),
  );
}

/** A part with some of its images, in their own order. */
export function withImages(dataset: Dataset, annotations: readonly Annotation[]): Dataset {
  const { name, categories, dropped } = dataset;
  return { name, categories, dropped, annotations, toCoco: cocoOf(dataset, annotations) };
}

/** Makes the ground truth of some of a part's images. */
function cocoOf(dataset: Dataset, annotations: readonly Annotation[]): Dataset['toCoco'] {
  const ids = new Set(annotations.map(({ imageId }) => imageId));
  return () => {
    const whole = dataset.toCoco();
    return {
      ...whole,
      images: whole.images.filter(({ id }) => ids.has(id)),
      annotations: whole.annotations.filter(({ image_id }) => ids.has(image_id)),
    };
  };
}

/** The first images of every part. */
export const firstOfEach = <D extends Parts>(
  data: D,
  most: { readonly train: number; readonly others: number },
): D => ({
  ...data,
  train: firstImages(data.train, most.train),
  val: firstImages(data.val, most.others),
  ...(data.test && { test: firstImages(data.test, most.others) }),
  ...(data.old && {
    old: {
      ...data.old,
      before: firstImages(data.old.before, most.others),
      after: firstImages(data.old.after, most.others),
    },
  }),
});

interface Parts {
  readonly train: Dataset;
  readonly val: Dataset;
  readonly test?: Dataset | undefined;
  /** Images of the classes that the model already knows. */
  readonly old?: { readonly before: Dataset; readonly after: Dataset } | undefined;
}
