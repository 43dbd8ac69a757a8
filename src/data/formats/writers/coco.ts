import { imagesOf, occurring, countObjects, toJson, type Writer } from './writer.js';

/** COCO: annotations/instances_<part>.json, and the images in images/<part>/. */
export const writeCoco: Writer = (set) => {
  const files = new Map<string, string>();
  for (const part of set.parts) {
    const images = imagesOf(set, part);
    const idOf = new Map(set.categories.map(({ id, name }) => [name, id]));
    let id = 0;
    const json = {
      images: images.map(({ name, width, height }, i) => ({ id: i + 1, file_name: name, width, height })),
      annotations: images.flatMap(({ objects }, i) =>
        objects.map(({ category, bbox, area, mark, word }) => ({
          id: ++id,
          image_id: i + 1,
          category_id: idOf.get(category)!,
          bbox,
          area,
          iscrowd: mark === 'crowd' ? 1 : 0,
          ...(mark === 'ignore' && { ignore: 1 }),
          ...(word && { segmentation: [word.outline] }),
        })),
      ),
      categories: set.categories,
    };
    files.set(`annotations/instances_${part}.json`, toJson(json));
  }
  return {
    files,
    imagePath: ({ part, name }) => `images/${part}/${name}`,
    losses: occurring({ 'transcription of a word, left out': countObjects(set, ({ word }) => Boolean(word?.text)) }),
  };
};
