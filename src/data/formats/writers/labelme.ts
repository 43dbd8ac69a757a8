import {
  countObjects,
  occurring,
  tidy,
  toJson,
  unused,
  type WrittenImage,
  type WrittenObject,
  type Writer,
} from './writer.js';

/** labelme: <part>/<image>.json beside each image. Marks are flags of a shape. */
export const writeLabelme: Writer = (set) => ({
  files: new Map(set.images.map((image) => [`${image.part}/${image.stem}.json`, toJson(jsonOf(image))])),
  imagePath: ({ part, name }) => `${part}/${name}`,
  losses: occurring({
    'category without an object': unused(set),
    'transcription of a word, left out': countObjects(set, ({ word }) => Boolean(word?.text)),
  }),
});

const jsonOf = ({ name, width, height, objects }: WrittenImage) => ({
  version: '5.5.0',
  flags: {},
  shapes: objects.map(shapeOf),
  imagePath: name,
  imageData: null,
  imageHeight: height,
  imageWidth: width,
});

function shapeOf({ category, bbox: [x, y, w, h], mark, word }: WrittenObject) {
  const corners = [
    [x, y],
    [tidy(x + w), tidy(y + h)],
  ];
  const outline =
    word && Array.from({ length: word.outline.length / 2 }, (_, i) => word.outline.slice(2 * i, 2 * i + 2));
  return {
    label: category,
    points: outline ?? corners,
    group_id: null,
    description: '',
    shape_type: outline ? 'polygon' : 'rectangle',
    flags: mark === undefined ? {} : { [mark]: true },
  };
}
