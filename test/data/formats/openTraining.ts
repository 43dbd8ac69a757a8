import { openDatasets, type DataOptions } from '../../../src/data/dataset.js';
import { detectLayouts } from '../../../src/data/formats/detect/detectLayouts.js';

/** What the training part of a folder has, in the layout that it is taken for. */
export const openTraining = async (folder: string) => {
  const [best] = await detectLayouts(folder);
  const data = { ...best!.data, val: best!.data['train'] } as unknown as DataOptions;
  const { train } = await openDatasets(data);
  const objects = train.annotations.flatMap(({ boxes, classes, ignore }) =>
    classes.map((index, i) => {
      const corners = [...boxes.subarray(4 * i, 4 * i + 4)].map(Math.round).join(' ');
      return `${train.categories[index]!.name} ${corners}${ignore[i] ? ' ignored' : ''}`;
    }),
  );
  return { format: best!.format, objects, dropped: train.dropped };
};
