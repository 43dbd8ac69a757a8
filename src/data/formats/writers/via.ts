import { countObjects, imagesOf, isMarked, occurring, toJson, UNMARKED, unused, type Writer } from './writer.js';

/** VGG Image Annotator: a project for each part, <part>/via_project.json, beside its images. */
export const writeVia: Writer = (set) => ({
  files: new Map(
    set.parts.map((part) => {
      const images = imagesOf(set, part).map(({ name, objects }) => [
        `${name}-1`, // the key ends with the size of the file, which -1 leaves open
        {
          ...{ filename: name, size: -1, file_attributes: {} },
          regions: objects
            .filter((object) => !isMarked(object))
            .map(({ category, bbox: [x, y, width, height] }) => ({
              shape_attributes: { name: 'rect', x, y, width, height },
              region_attributes: { class: category },
            })),
        },
      ]);
      const project = {
        _via_settings: { project: { name: part } },
        _via_img_metadata: Object.fromEntries(images) as unknown,
        _via_attributes: { region: { class: { type: 'text', description: '', default_value: '' } }, file: {} },
      };
      return [`${part}/via_project.json`, toJson(project)];
    }),
  ),
  imagePath: ({ part, name }) => `${part}/${name}`,
  losses: occurring({
    [UNMARKED]: countObjects(set, isMarked),
    'category without an object': unused(set),
    'outline and transcription of a word, written as its box': countObjects(set, ({ word }) => word !== undefined),
  }),
});
