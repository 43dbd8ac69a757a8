import { describe, expect, test } from '@jest/globals';
import { COCO, CocoError, mask, type CocoDataset, type CocoResult } from '../../src/pycocotools/index.js';

const dataset: CocoDataset = {
  images: [
    { id: 30, width: 20, height: 10 },
    { id: 7, width: 20, height: 10 },
    { id: 8, width: 20, height: 10 },
  ],
  categories: [
    { id: 5, name: 'dog', supercategory: 'animal' },
    { id: 2, name: 'cat', supercategory: 'animal' },
    { id: 9, name: 'bus', supercategory: 'vehicle' },
  ],
  annotations: [
    {
      id: 100,
      image_id: 7,
      category_id: 5,
      bbox: [1, 1, 4, 4],
      area: 16,
      iscrowd: 0,
      segmentation: [[1, 1, 5, 1, 5, 5, 1, 5]],
    },
    {
      id: 50,
      image_id: 30,
      category_id: 2,
      bbox: [0, 0, 5, 5],
      area: 25,
      iscrowd: 1,
      segmentation: { size: [10, 20], counts: [0, 5, 195] },
    },
    { id: 70, image_id: 7, category_id: 2, bbox: [0, 0, 10, 10], area: 100, iscrowd: 0 },
  ],
};

const codeOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error instanceof CocoError ? error.problems.map(({ code, where }) => [code, where?.path]) : error;
  }
  return 'nothing thrown';
};

describe('queries', () => {
  const coco = new COCO(dataset);

  test('getAnnIds: filters and order', () => {
    expect(coco.getAnnIds()).toEqual([100, 50, 70]);
    expect(coco.getAnnIds({ imgIds: [30, 7] })).toEqual([50, 100, 70]); // by image, as asked
    expect(coco.getAnnIds({ imgIds: 7, catIds: 2 })).toEqual([70]);
    expect(coco.getAnnIds({ catIds: [2, 5], areaRng: [16, 100] })).toEqual([50]); // both ends exclusive
    expect(coco.getAnnIds({ iscrowd: true })).toEqual([50]);
    expect(coco.getAnnIds({ iscrowd: 0, imgIds: [7, 999] })).toEqual([100, 70]);
  });

  test('getCatIds and getImgIds', () => {
    expect(coco.getCatIds()).toEqual([5, 2, 9]);
    expect(coco.getCatIds({ catNms: ['bus', 'dog'] })).toEqual([5, 9]);
    expect(coco.getCatIds({ supNms: 'animal', catIds: [2, 9] })).toEqual([2]);
    expect(coco.getImgIds()).toEqual([30, 7, 8]);
    expect(coco.getImgIds({ catIds: [2, 5] })).toEqual([7]); // images with all of them
    expect(coco.getImgIds({ imgIds: [7, 30, 8], catIds: 2 })).toEqual([7, 30]);
  });

  test('loadAnns, loadCats, loadImgs keep the order asked for, and name what is missing', () => {
    expect(coco.loadAnns([70, 100]).map(({ id }) => id)).toEqual([70, 100]);
    expect(coco.loadCats(9)[0]!.name).toBe('bus');
    expect(coco.loadImgs([8])).toEqual([dataset.images![2]]);
    expect(() => coco.loadAnns([1])).toThrow(expect.objectContaining({ code: 'E_COCO_ID' }));
  });

  test('annToRLE and annToMask', () => {
    const [polygon, crowd, none] = coco.loadAnns([100, 50, 70]);
    expect(mask.area(coco.annToRLE(polygon!))).toBe(16);
    expect(mask.toBbox(coco.annToRLE(crowd!))).toEqual([0, 0, 1, 5]);
    expect([...coco.annToMask(crowd!).data.subarray(0, 6)]).toEqual([1, 1, 1, 1, 1, 0]);
    expect(codeOf(() => coco.annToRLE(none!))).toEqual([['E_COCO_FIELD', 'annotation 70']]);
  });
});

describe('loadRes', () => {
  const coco = new COCO(dataset);

  test('boxes: outline, area, ids from 1; the given objects stay as they are', () => {
    const result: CocoResult = Object.freeze({ image_id: 7, category_id: 5, bbox: [1, 2, 3, 4], score: 0.5 });
    const res = coco.loadRes([result]);
    expect(res.loadAnns(1)[0]).toEqual({
      ...result,
      id: 1,
      area: 12,
      iscrowd: 0,
      segmentation: [[1, 2, 1, 6, 4, 6, 4, 2]],
    });
    expect(res.getImgIds()).toEqual(coco.getImgIds());
    expect(res.getCatIds()).toEqual(coco.getCatIds());
  });

  test('codes and keypoints get box and area', () => {
    const segmentation = mask.frPyObjects([2, 3, 8, 3, 8, 7, 2, 7], 10, 20);
    const segm = coco.loadRes([{ image_id: 7, category_id: 5, segmentation, score: 1 }]);
    expect(segm.anns.get(1)).toMatchObject({ area: 24, bbox: [2, 3, 6, 4] });
    const kp = coco.loadRes([{ image_id: 7, category_id: 5, keypoints: [1, 2, 2, 5, 9, 0], score: 1 }]);
    expect(kp.anns.get(1)).toMatchObject({ area: 28, bbox: [1, 2, 4, 7] });
  });

  test('an empty list is no detection', () => {
    expect(coco.loadRes([]).getAnnIds()).toEqual([]);
  });
});

describe('bad input is located, all of it at once', () => {
  test('data sets', () => {
    const bad = {
      images: [{ id: 1, width: -5 }, { id: 1 }, 7],
      categories: [{ name: 'nameless' }],
      annotations: [
        { id: 1, image_id: 2, category_id: 3, bbox: [0, 0, -1, 2] },
        { id: 2, image_id: 1, category_id: 3, bbox: [0, 0, 1] },
        { id: 3, image_id: 1, bbox: [0, NaN, 1, 1], segmentation: 5, keypoints: 'none' },
        null,
      ],
    };
    expect(codeOf(() => new COCO(bad as never))).toEqual([
      ['E_COCO_SIZE', 'images[0].width'],
      ['E_COCO_DUPLICATE_ID', 'images[1].id'],
      ['E_COCO_FORMAT', 'images[2]'],
      ['E_COCO_FIELD', 'categories[0]'],
      ['E_COCO_IMAGE_ID', 'annotations[0].image_id'],
      ['E_COCO_CATEGORY_ID', 'annotations[0].category_id'],
      ['E_COCO_SIZE', 'annotations[0].bbox[2]'],
      ['E_COCO_CATEGORY_ID', 'annotations[1].category_id'],
      ['E_COCO_FIELD', 'annotations[1].bbox'],
      ['E_COCO_FIELD', 'annotations[2]'],
      ['E_COCO_NUMBER', 'annotations[2].bbox[1]'],
      ['E_COCO_RLE', 'annotations[2].segmentation'],
      ['E_COCO_FIELD', 'annotations[2].keypoints'],
      ['E_COCO_FORMAT', 'annotations[3]'],
    ]);
    expect(codeOf(() => new COCO([] as never))).toEqual([['E_COCO_FORMAT', undefined]]);
  });

  test('results', () => {
    const coco = new COCO(dataset);
    const good = { image_id: 7, category_id: 5, bbox: [0, 0, 1, 1], score: 0.5 };
    const bad = [
      good,
      { ...good, image_id: 1 },
      { ...good, category_id: 1 },
      { ...good, score: null },
      { ...good, bbox: [0, 0, 1, -1] },
    ];
    expect(codeOf(() => coco.loadRes(bad as never))).toEqual([
      ['E_COCO_IMAGE_ID', '[1].image_id'],
      ['E_COCO_CATEGORY_ID', '[2].category_id'],
      ['E_COCO_FIELD', '[3].score'],
      ['E_COCO_SIZE', '[4].bbox[3]'],
    ]);
    expect(codeOf(() => coco.loadRes({} as never))).toEqual([['E_COCO_FORMAT', undefined]]);
    expect(codeOf(() => coco.loadRes([{ image_id: 7, category_id: 5, score: 1 }]))).toEqual([['E_COCO_FIELD', '[0]']]);
  });

  test('lenient accepts what upstream accepts, and no more', () => {
    const coco = new COCO(dataset);
    const odd = { image_id: 7, category_id: 1, bbox: [0, 0, 1, -1], score: 0.5 };
    expect(coco.loadRes([odd], { lenient: true }).getAnnIds()).toEqual([1]);
    expect(codeOf(() => coco.loadRes([{ ...odd, image_id: 1 }], { lenient: true }))).toEqual([
      ['E_COCO_IMAGE_ID', '[0].image_id'],
    ]);
    expect(codeOf(() => coco.loadRes([{ ...odd, score: NaN }], { lenient: true }))).toEqual([
      ['E_COCO_NUMBER', '[0].score'],
    ]);
  });

  test('a long list is cut, and says so', () => {
    const annotations = Array.from({ length: 50 }, (_, id) => ({ id, image_id: 0, category_id: 5 }));
    expect(() => new COCO({ ...dataset, annotations })).toThrow(/annotations\[0\]\.image_id.*[^]*… and 30 more$/);
  });
});
