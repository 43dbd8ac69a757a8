import { countObjects, imagesOf, isMarked, occurring, tidy, toJson, UNMARKED, unused, type Writer } from './writer.js';

/** Create ML: <part>/_annotations.createml.json beside the images. */
export const writeCreateMl: Writer = (set) => {
  const files = new Map<string, string>();
  for (const part of set.parts) {
    const list = imagesOf(set, part).map(({ name, objects }) => ({
      image: name,
      annotations: objects
        .filter((object) => !isMarked(object))
        .map(({ category, bbox: [x, y, width, height] }) => ({
          label: category,
          coordinates: { x: tidy(x + width / 2), y: tidy(y + height / 2), width, height },
        })),
    }));
    files.set(`${part}/_annotations.createml.json`, toJson(list));
  }
  return {
    files,
    imagePath: ({ part, name }) => `${part}/${name}`,
    losses: occurring({
      [UNMARKED]: countObjects(set, isMarked),
      'category without an object': unused(set),
      'outline and transcription of a word, written as its box': countObjects(set, ({ word }) => word !== undefined),
    }),
  };
};
