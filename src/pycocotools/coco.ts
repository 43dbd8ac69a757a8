import { checkDataset, checkResults, type CheckOptions } from './check.js';
import { columnsFromAnnotations, type Columns } from './columns.js';
import { CocoError } from './errors.js';
import { completeResults, located } from './loadRes.js';
import { runsFromCounts, toRle, toRuns, type Mask } from './mask.js';
import { runsFromPolygon } from './polygon.js';
import { decodeRuns, mergeRuns, type Runs } from './rle.js';
import type {
  CocoAnnotation,
  CocoCategory,
  CocoDataset,
  CocoImage,
  CocoResult,
  Rle,
  UncompressedRle,
} from './types.js';

type OneOrMany<T> = T | readonly T[];

/** The look-up tables of coco.py, createIndex, with Maps instead of dicts. */
interface CocoIndex {
  readonly anns: Map<number, CocoAnnotation>;
  readonly imgs: Map<number, CocoImage>;
  readonly cats: Map<number, CocoCategory>;
  readonly imgToAnns: Map<number, CocoAnnotation[]>;
  readonly catToImgs: Map<number, number[]>;
}

/** A data set, or a set of results, with its look-up tables. Names and orders are those of upstream's coco.py. */
export class COCO {
  readonly #head: CocoDataset; // without annotations
  #annotations: readonly CocoAnnotation[] | undefined;
  #table: Columns | undefined; // instead of annotations, until those are used
  #index: CocoIndex | undefined;

  /** Takes a parsed annotation file.
   *  Throws a CocoError that lists everything that is wrong with it, see CheckOptions. */
  constructor(dataset: CocoDataset = {}, options: CheckOptions = {}) {
    checkDataset(dataset, options);
    const { annotations, ...head } = dataset;
    this.#head = head;
    this.#annotations = annotations;
  }

  /** Takes detections as columns; their objects are made on first use. */
  static fromColumns(head: CocoDataset, table: Columns): COCO {
    const coco = new COCO(head, { lenient: true }); // it was checked when it was loaded
    coco.#table = table;
    return coco;
  }

  get dataset(): CocoDataset {
    const annotations = this.#materialize();
    return annotations ? { ...this.#head, annotations } : this.#head;
  }

  get anns(): Map<number, CocoAnnotation> {
    return this.#indexed().anns;
  }
  get imgs(): Map<number, CocoImage> {
    return this.#indexed().imgs;
  }
  get cats(): Map<number, CocoCategory> {
    return this.#indexed().cats;
  }
  get imgToAnns(): Map<number, CocoAnnotation[]> {
    return this.#indexed().imgToAnns;
  }
  get catToImgs(): Map<number, number[]> {
    return this.#indexed().catToImgs;
  }

  /** Build the look-up tables again. They are built on first use, so this is needed only after changing the data set in
   *  place. */
  createIndex(): void {
    this.#index = buildIndex(this.dataset);
  }

  /** Annotations as parallel arrays, in the file's order. If an id occurs twice, the last annotation stands for all, as
   *  in coco.py's loadAnns. */
  columns(): Columns {
    if (this.#table) return this.#table;
    const annotations = this.#annotations ?? [];
    const unique = new Set(annotations.map(({ id }) => id)).size === annotations.length;
    return columnsFromAnnotations(unique ? annotations : annotations.map(({ id }) => this.anns.get(id)!));
  }

  /** Ids of annotations of these images and categories, with areaRng[0] < area < areaRng[1], crowd or not. An empty
   *  filter accepts all. */
  getAnnIds({
    imgIds = [],
    catIds = [],
    areaRng = [],
    iscrowd,
  }: {
    readonly imgIds?: OneOrMany<number>;
    readonly catIds?: OneOrMany<number>;
    readonly areaRng?: readonly number[];
    readonly iscrowd?: boolean | number;
  } = {}): number[] {
    const images = asList(imgIds);
    const categories = new Set(asList(catIds));
    const [low, high] = areaRng;
    let anns: readonly CocoAnnotation[] =
      images.length > 0 ? images.flatMap((id) => this.imgToAnns.get(id) ?? []) : (this.#materialize() ?? []);
    if (categories.size > 0) anns = anns.filter(({ category_id }) => categories.has(category_id));
    if (low !== undefined && high !== undefined) anns = anns.filter(({ area = NaN }) => area > low && area < high);
    if (iscrowd !== undefined) anns = anns.filter((ann) => Number(ann.iscrowd ?? NaN) === Number(iscrowd));
    return anns.map(({ id }) => id);
  }

  /** Ids of categories with these names, supercategories and ids. An empty filter accepts all. */
  getCatIds({
    catNms = [],
    supNms = [],
    catIds = [],
  }: {
    readonly catNms?: OneOrMany<string>;
    readonly supNms?: OneOrMany<string>;
    readonly catIds?: OneOrMany<number>;
  } = {}): number[] {
    const names = new Set<unknown>(asList(catNms));
    const supers = new Set<unknown>(asList(supNms));
    const ids = new Set(asList(catIds));
    return (this.#head.categories ?? [])
      .filter(({ name }) => names.size === 0 || names.has(name))
      .filter(({ supercategory }) => supers.size === 0 || supers.has(supercategory))
      .filter(({ id }) => ids.size === 0 || ids.has(id))
      .map(({ id }) => id);
  }

  /** Ids of images among `imgIds` (all if empty) that have every category of `catIds`. */
  getImgIds({
    imgIds = [],
    catIds = [],
  }: {
    readonly imgIds?: OneOrMany<number>;
    readonly catIds?: OneOrMany<number>;
  } = {}): number[] {
    const images = asList(imgIds);
    const categories = asList(catIds);
    if (images.length === 0 && categories.length === 0)
      return [...new Set((this.#head.images ?? []).map(({ id }) => id))];
    let ids = new Set(images);
    categories.forEach((category, i) => {
      const holding = new Set(this.catToImgs.get(category));
      ids = i === 0 && ids.size === 0 ? holding : new Set([...ids].filter((id) => holding.has(id)));
    });
    return [...ids];
  }

  /** Annotations with these ids, in this order. Throws E_COCO_ID for an unknown id. */
  loadAnns(ids: OneOrMany<number>): CocoAnnotation[] {
    return pick(this.anns, ids, 'annotation');
  }
  /** Categories with these ids, in this order. Throws E_COCO_ID for an unknown id. */
  loadCats(ids: OneOrMany<number>): CocoCategory[] {
    return pick(this.cats, ids, 'category');
  }
  /** Images with these ids, in this order. Throws E_COCO_ID for an unknown id. */
  loadImgs(ids: OneOrMany<number>): CocoImage[] {
    return pick(this.imgs, ids, 'image');
  }

  /** Results of a model on this data set: boxes, run-length codes, keypoints or captions. Unlike upstream, the given
   *  objects are not changed, an empty list is legal, and unknown ids and negative sizes are errors unless `lenient`. */
  loadRes(results: readonly CocoResult[], options: CheckOptions = {}): COCO {
    const known = { images: new Set(this.getImgIds()), categories: new Set(this.getCatIds()) };
    checkResults(results, known, options);
    const foreign = results.findIndex(({ image_id }) => !known.images.has(image_id)); // upstream asserts this one
    if (foreign >= 0) {
      throw new CocoError({
        code: 'E_COCO_IMAGE_ID',
        message: `the data set has no image ${results[foreign]!.image_id}`,
        where: { path: `[${foreign}].image_id` },
      });
    }
    const annotations = completeResults(results);
    if (results[0]?.caption === undefined) return this.#withAnnotations(this.#head.images, annotations);
    const captioned = new Set(results.map(({ image_id }) => image_id));
    return this.#withAnnotations(
      this.#head.images?.filter(({ id }) => captioned.has(id)),
      annotations,
    );
  }

  /** A set of results given as columns, which must have been checked. */
  loadResColumns(table: Columns): COCO {
    return COCO.fromColumns(this.#head, table);
  }

  /** Run-length code of an annotation's outline.
   *  Throws E_COCO_ID if its image is unknown, E_COCO_POLYGON or E_COCO_RLE if it is damaged. */
  annToRLE(annotation: CocoAnnotation): Rle {
    const { segmentation } = annotation;
    const isCode = segmentation && 'counts' in segmentation && typeof segmentation.counts === 'string';
    return isCode ? (segmentation as Rle) : toRle(this.annToRuns(annotation));
  }

  /** Mask of an annotation's outline. */
  annToMask(annotation: CocoAnnotation): Mask {
    const runs = this.annToRuns(annotation);
    return { height: runs.height, width: runs.width, data: decodeRuns(runs) };
  }

  /** Runs of an annotation's outline; the parts of a polygon are united. coco.py, annToRLE. */
  annToRuns(annotation: CocoAnnotation): Runs {
    return located(`annotation ${annotation.id}`, () => {
      const { segmentation } = annotation;
      if (!segmentation) throw new CocoError({ code: 'E_COCO_FIELD', message: 'has no "segmentation"' });
      if ('counts' in segmentation) {
        if (typeof segmentation.counts === 'string') return toRuns(segmentation as Rle);
        return runsFromCounts(segmentation as UncompressedRle);
      }
      const [image] = this.loadImgs(annotation.image_id);
      const { height, width } = image!;
      if (height === undefined || width === undefined) {
        throw new CocoError({ code: 'E_COCO_FIELD', message: `image ${image!.id} has no "height" and "width"` });
      }
      if (segmentation.length === 0) throw new CocoError({ code: 'E_COCO_POLYGON', message: 'has no polygon' });
      return mergeRuns(segmentation.map((polygon) => runsFromPolygon(polygon, height, width)));
    });
  }

  #withAnnotations(images: readonly CocoImage[] | undefined, annotations: readonly CocoAnnotation[]): COCO {
    const coco = new COCO({ ...this.#head, ...(images ? { images } : {}) }, { lenient: true });
    coco.#annotations = annotations;
    return coco;
  }

  #materialize(): readonly CocoAnnotation[] | undefined {
    if (this.#table) {
      const { length, annotation } = this.#table;
      this.#annotations = Array.from({ length }, (_, row) => annotation(row));
      this.#table = undefined;
    }
    return this.#annotations;
  }

  #indexed(): CocoIndex {
    return (this.#index ??= buildIndex(this.dataset));
  }
}

/** Builds the look-up tables. coco.py, createIndex. */
function buildIndex({ annotations = [], images = [], categories }: CocoDataset): CocoIndex {
  const imgToAnns = new Map<number, CocoAnnotation[]>();
  const catToImgs = new Map<number, number[]>();
  for (const ann of annotations) {
    append(imgToAnns, ann.image_id, ann);
    if (categories) append(catToImgs, ann.category_id, ann.image_id);
  }
  return {
    anns: new Map(annotations.map((ann) => [ann.id, ann])),
    imgs: new Map(images.map((image) => [image.id, image])),
    cats: new Map((categories ?? []).map((category) => [category.id, category])),
    imgToAnns,
    catToImgs,
  };
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

function pick<T>(entries: ReadonlyMap<number, T>, ids: OneOrMany<number>, what: string): T[] {
  return asList(ids).map((id) => {
    const entry = entries.get(id);
    if (entry === undefined) throw new CocoError({ code: 'E_COCO_ID', message: `there is no ${what} ${id}` });
    return entry;
  });
}

function asList<T extends string | number>(value: OneOrMany<T>): readonly T[] {
  return typeof value === 'object' ? value : [value];
}
