import type { COCO } from '../pycocotools/index.js';

type Bbox = readonly [x: number, y: number, width: number, height: number];

/** The objects and the detections of one image. Categories are indices. */
export interface BoxImage {
  readonly truth: readonly { readonly category: number; readonly bbox: Bbox; readonly ignore: boolean }[];
  readonly detections: readonly { readonly category: number; readonly bbox: Bbox; readonly score: number }[];
}

export interface BoxImages {
  /** Names of the categories. */
  readonly names: readonly string[];
  readonly images: readonly BoxImage[];
}

/** Groups objects and detections by image, in the files' order. Crowds and objects marked `ignore` become ignored
 *  objects. */
export function boxImages(truth: COCO, detections: COCO): BoxImages {
  const ids = [...truth.cats.keys()];
  const indexOf = new Map(ids.map((id, index) => [id, index]));
  const found = new Map<number, BoxImage['detections'][number][]>();
  const { length, imageId, categoryId, bbox, score } = detections.columns();
  for (let row = 0; row < length; row++) {
    const category = indexOf.get(categoryId[row]!);
    if (category === undefined) continue;
    const at = row * 4;
    const box = [bbox[at]!, bbox[at + 1]!, bbox[at + 2]!, bbox[at + 3]!] as const;
    const known = found.get(imageId[row]!);
    const detection = { category, bbox: box, score: score[row]! };
    if (known) known.push(detection);
    else found.set(imageId[row]!, [detection]);
  }
  const images = [...truth.imgs.keys()].map((id): BoxImage => {
    const objects = (truth.imgToAnns.get(id) ?? []).flatMap(({ bbox: box, category_id, iscrowd, ignore }) => {
      const category = indexOf.get(category_id);
      if (category === undefined || box?.length !== 4) return [];
      const [x, y, w, h] = box as [number, number, number, number];
      return [{ category, bbox: [x, y, w, h] as const, ignore: Boolean(iscrowd) || Boolean(ignore) }];
    });
    return { truth: objects, detections: found.get(id) ?? [] };
  });
  return { names: ids.map((id) => truth.cats.get(id)!.name ?? String(id)), images };
}

/** IoU of two boxes; with `crowd` the share of `a` that lies on `b`, as in pycocotools. */
export function bboxIou([ax, ay, aw, ah]: Bbox, [bx, by, bw, bh]: Bbox, crowd = false): number {
  const w = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const h = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  if (w <= 0 || h <= 0) return 0;
  const area = aw * ah;
  return (w * h) / (crowd ? area : area + bw * bh - w * h);
}
