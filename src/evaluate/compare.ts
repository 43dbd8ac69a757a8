import type { COCO } from '../pycocotools/index.js';
import type { ComparedImage, LabelledBox } from './explain.js';
import type { TextData } from './icdarFiles.js';
import type { VocDetection } from './vocDetections.js';
import type { VocTruth } from './vocTruth.js';

/** Number of detections that are compared: enough to tell what is wrong. */
const MOST_DETECTIONS = 20_000;

/** What explainZero compares of COCO files: the first detections of the results, and their images. */
export function compareCoco(truth: COCO, detections: COCO, most = MOST_DETECTIONS): ComparedImage[] {
  const box = (bbox: ArrayLike<number>, at = 0) =>
    [bbox[at]!, bbox[at + 1]!, bbox[at]! + bbox[at + 2]!, bbox[at + 1]! + bbox[at + 3]!] as const;
  const label = (id: number): string => {
    const name = truth.cats.get(id)?.name;
    return name === undefined ? String(id) : `${id} ${name}`;
  };
  const found = new Map<number, LabelledBox[]>();
  const { length, imageId, categoryId, bbox } = detections.columns();
  for (let row = 0; row < Math.min(length, most); row++) {
    const image = imageId[row]!;
    if (!found.has(image)) found.set(image, []);
    found.get(image)!.push({ category: label(categoryId[row]!), box: box(bbox, row * 4) });
  }
  const images = length > most ? [...found.keys()] : truth.getImgIds();
  return images.map((id) => {
    const { width = 0, height = 0 } = truth.imgs.get(id)!;
    const objects = (truth.imgToAnns.get(id) ?? []).flatMap((annotation): LabelledBox[] =>
      annotation.bbox?.length === 4 ? [{ category: label(annotation.category_id), box: box(annotation.bbox) }] : [],
    );
    return { width, height, truth: objects, detections: found.get(id) ?? [] };
  });
}

/** The same of a VOC split; boxes are 0-based, as in JSON results. */
export function compareVoc({ images }: VocTruth, detections: readonly VocDetection[]): ComparedImage[] {
  const byStem = new Map<string, VocDetection[]>();
  for (const detection of detections) {
    if (!byStem.has(detection.stem)) byStem.set(detection.stem, []);
    byStem.get(detection.stem)!.push(detection);
  }
  const outer = ([x1, y1, x2, y2]: VocDetection['corners']) => [x1 - 1, y1 - 1, x2, y2] as const;
  return images.map(({ stem, width, height, objects }) => ({
    width,
    height,
    truth: objects.map(({ name, corners }) => ({ category: name, box: outer(corners) })),
    detections: (byStem.get(stem) ?? []).map(({ category, corners }) => ({ category, box: outer(corners) })),
  }));
}

/** The same of scene text: the rectangles around the words. The files do not tell the size of an image. */
export function compareIcdar({ images }: TextData): ComparedImage[] {
  const around = (points: readonly number[]) => {
    const xs = points.filter((_, i) => i % 2 === 0);
    const ys = points.filter((_, i) => i % 2 === 1);
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const;
  };
  return images.map(({ words, detections }) => ({
    width: 0,
    height: 0,
    truth: words.filter(({ dontCare }) => !dontCare).map(({ points }) => ({ category: 'text', box: around(points) })),
    detections: detections.map(({ points }) => ({ category: 'text', box: around(points) })),
  }));
}
