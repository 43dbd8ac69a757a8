import type { Dataset } from './sample.js';

/** The first images of a part with their ground truth: a small data set to try something out. */
export function firstImages(dataset: Dataset, images: number): Dataset {
  const { old } = dataset;
  const known = old ? Math.max(1, Math.round(old.share * images)) : 0;
  const fresh = dataset.annotations.slice(0, Math.min(images - known, old?.from ?? Infinity));
  const annotations = [...fresh, ...(old ? dataset.annotations.slice(old.from, old.from + known) : [])];
  const ids = new Set(annotations.map(({ imageId }) => imageId));
  return {
    ...dataset,
    annotations,
    repeat: dataset.repeat?.slice(0, images),
    ...(old && { old: { ...old, from: fresh.length } }),
    toCoco: () => {
      const whole = dataset.toCoco();
      return {
        ...whole,
        images: whole.images.filter(({ id }) => ids.has(id)),
        annotations: whole.annotations.filter(({ image_id }) => ids.has(image_id)),
      };
    },
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
