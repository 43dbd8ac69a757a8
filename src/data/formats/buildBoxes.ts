import { xyxy } from '../../geometry/box.js';
import type { Findings } from '../findings.js';
import type { DropPolicies, RawImage, RawObject } from '../rawDataset.js';
import type { BoxAnnotation, Category, ClassIndex, CocoGroundTruth, Dataset } from '../sample.js';

/** Pixels by which a box may exceed its image without being counted: in COCO's own files, rounding makes boxes a
 *  hundredth of a pixel too large here and there. */
const ROUNDING = 0.05;

/** Makes a data set of images with boxes. Boxes are clipped to their image (and counted), boxes outside it are a
 *  problem or dropped, and objects of other categories are left out (and counted). Problems go to `findings`; it is the
 *  caller who throws them. */
export function buildBoxes(
  name: string,
  categories: readonly Category[],
  images: readonly RawImage[],
  findings: Findings,
  { invalidBoxes = 'error' }: DropPolicies = {},
): Dataset {
  const classOf = new Map(categories.map((category, index) => [category.name, index as ClassIndex]));
  const annotations: BoxAnnotation[] = [];
  const truth: CocoGroundTruth['annotations'][number][] = [];

  for (const image of images) {
    const { imageId, file, width, height, objects } = image;
    const learned: RawObject[] = [];
    const corners: number[] = [];
    const classes: ClassIndex[] = [];
    const ignore: boolean[] = [];
    for (const object of objects) {
      const { id, category, bbox, area, iscrowd, ignore: ignored, problem } = object;
      const classIndex = classOf.get(category);
      if (classIndex === undefined) {
        findings.count('object of a category that is not learned');
        continue;
      }
      const [x, y, w, h] = bbox;
      const x1 = Math.max(0, x);
      const y1 = Math.max(0, y);
      const x2 = Math.min(width, x + w);
      const y2 = Math.min(height, y + h);
      if (x2 <= x1 || y2 <= y1) {
        findings.report(invalidBoxes, 'box outside its image', () =>
          problem(`box x ${x}, y ${y}, width ${w}, height ${h} outside the ${width}x${height} image`),
        );
        continue;
      }
      if (Math.max(x1 - x, y1 - y, x + w - x2, y + h - y2) > ROUNDING)
        findings.count('box clipped to the image', () =>
          problem(`box x ${x}, y ${y}, width ${w}, height ${h} reaches beyond the ${width}x${height} image`),
        );
      learned.push(object);
      corners.push(x1, y1, x2, y2);
      classes.push(classIndex);
      ignore.push(iscrowd === 1 || ignored === 1);
      const { id: categoryId } = categories[classIndex]!;
      truth.push({
        id,
        image_id: imageId,
        category_id: categoryId,
        bbox,
        area,
        iscrowd,
        ...(ignored === undefined ? {} : { ignore: ignored }),
      });
    }
    findings.inspect?.(image, learned);
    annotations.push({ kind: 'boxes', imageId, file, width, height, boxes: xyxy(corners), classes, ignore });
  }

  const toCoco = (): CocoGroundTruth => ({
    images: images.map(({ imageId, width, height, fileName }) => ({ id: imageId, width, height, file_name: fileName })),
    categories: categories.map(({ id, name }) => ({ id, name })),
    annotations: truth,
  });
  return { name, categories, annotations, dropped: findings.dropped, toCoco };
}
