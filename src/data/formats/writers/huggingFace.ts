import { countObjects, imagesOf, isMarked, occurring, UNMARKED, unused } from './writer.js';
import type { WrittenImage, WrittenSet, Writer } from './writer.js';

/** Hugging Face's image folder: <part>/metadata.jsonl beside the images, with their boxes in pixels. */
export const writeHuggingFace: Writer = (set) => ({
  ...metadataOf(set, ({ objects }) => {
    const kept = objects.filter((object) => !isMarked(object));
    return { objects: { bbox: kept.map(({ bbox }) => bbox), categories: kept.map(({ category }) => category) } };
  }),
  losses: occurring({
    [UNMARKED]: countObjects(set, isMarked),
    'category without an object': unused(set),
    'outline and transcription of a word, written as its box': countObjects(set, ({ word }) => word !== undefined),
  }),
});

/** Hugging Face's image folder with a label for each image. */
export const writeHuggingFaceLabels: Writer = (set) => ({
  ...metadataOf(set, ({ label = '' }) => ({ label })),
  losses: [],
});

const metadataOf = (set: WrittenSet, fieldsOf: (image: WrittenImage) => object) => ({
  files: new Map(
    set.parts.map((part) => {
      const rows = imagesOf(set, part).map(
        (image) => `${JSON.stringify({ file_name: image.name, ...fieldsOf(image) })}\n`,
      );
      return [`${part}/metadata.jsonl`, rows.join('')];
    }),
  ),
  imagePath: ({ part, name }: WrittenImage) => `${part}/${name}`,
});
