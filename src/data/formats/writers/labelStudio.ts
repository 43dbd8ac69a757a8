import { countObjects, imagesOf, isMarked, occurring, tidy, toJson, UNMARKED, unused } from './writer.js';
import type { WrittenImage, WrittenSet, Writer } from './writer.js';

/** Label Studio: <part>.json with the tasks, and the images in <part>/. */
export const writeLabelStudio: Writer = (set) => ({
  ...tasksOf(set, ({ objects, width, height }) =>
    objects
      .filter((object) => !isMarked(object))
      .map(({ category, bbox: [x, y, w, h] }, i) => ({
        ...{ id: `object-${i + 1}`, type: 'rectanglelabels', from_name: 'label', to_name: 'image' },
        ...{ original_width: width, original_height: height, image_rotation: 0 },
        value: {
          ...{ x: tidy((100 * x) / width), y: tidy((100 * y) / height) },
          ...{ width: tidy((100 * w) / width), height: tidy((100 * h) / height) },
          rotation: 0,
          rectanglelabels: [category],
        },
      })),
  ),
  losses: occurring({
    [UNMARKED]: countObjects(set, isMarked),
    'category without an object': unused(set),
    'outline and transcription of a word, written as its box': countObjects(set, ({ word }) => word !== undefined),
  }),
});

/** Label Studio with a choice for each image. */
export const writeLabelStudioChoices: Writer = (set) => ({
  ...tasksOf(set, ({ label = '' }) => [
    { type: 'choices', from_name: 'choice', to_name: 'image', value: { choices: [label] } },
  ]),
  losses: [],
});

const tasksOf = (set: WrittenSet, resultsOf: (image: WrittenImage) => readonly object[]) => ({
  files: new Map(
    set.parts.map((part) => {
      const tasks = imagesOf(set, part).map((image, i) => ({
        id: i + 1,
        data: { image: `${part}/${image.name}` },
        annotations: [{ id: i + 1, was_cancelled: false, result: resultsOf(image) }],
      }));
      return [`${part}.json`, toJson(tasks)];
    }),
  ),
  imagePath: ({ part, name }: WrittenImage) => `${part}/${name}`,
});
