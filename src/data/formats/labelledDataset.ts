import pLimit from 'p-limit';
import { xyxy } from '../../geometry/box.js';
import { FinetuneError, type Where } from '../../errors.js';
import { hashSeed } from '../../random.js';
import { IMAGENET_CATEGORIES } from '../../categories/imagenet.js';
import type { Findings } from '../findings.js';
import { readImageSize } from '../image/image.js';
import { numberCategories, selectCategories } from '../categories.js';
import type { Category, ClassIndex, Dataset, WholeImageAnnotation } from '../sample.js';

/** An image of which one word is known: its class. */
export interface LabelledImage {
  /** Unique in its part: the path from the part's folder, say. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly label: string;
  readonly where: Where;
}

/** One part as it was read. */
export interface LabelledPart {
  readonly name: string;
  /** Names of its classes, sorted; one may have no image. */
  readonly classes: readonly string[];
  readonly images: readonly LabelledImage[];
  /** Where the classes stand: a folder or a file. */
  readonly place: string;
}

/** `imagenet-1k`: the thousand classes of ImageNet in the order that its classifiers have them; labels are synsets or names. */
export type WantedClasses = readonly string[] | 'imagenet-1k';

/** What the labels of a data set mean. */
export interface Classes {
  readonly categories: readonly Category[];
  readonly indexOf: (label: string) => ClassIndex | undefined;
}

/** The classes to learn: those wanted, or all that the training part has. Throws E_DATA_CATEGORY for a name that it does not have, and
 *  E_DATA_CLASSES where nothing is left to tell apart, unless a single class is enough. */
export function chooseClasses(
  { classes, place }: LabelledPart,
  wanted: WantedClasses | undefined,
  singleClass = false,
): Classes {
  if (wanted === 'imagenet-1k') {
    const categories = numberCategories(IMAGENET_CATEGORIES.map(({ name }) => name));
    const indices = new Map(IMAGENET_CATEGORIES.flatMap(({ synset, name }, i) => [[synset, i], [name, i]] as const)); // prettier-ignore
    return { categories, indexOf: (label) => indices.get(label) as ClassIndex | undefined };
  }
  const categories = selectCategories(numberCategories(classes), wanted, place);
  const [only, second] = categories;
  if (only && !second && !singleClass) {
    const message = `there is one class, "${only.name}": nothing to tell apart`;
    const fix = 'a class is a folder inside the part’s folder, or a label of the csv: check data.root and data.train';
    throw new FinetuneError({ code: 'E_DATA_CLASSES', message, where: { file: place }, fix });
  }
  const indices = new Map(categories.map(({ name }, i) => [name, i as ClassIndex]));
  return { categories, indexOf: (label) => indices.get(label) };
}

/** Splits a part in two, class by class, by the images' names and the seed: another image more or less moves few others. A class of two or
 *  more images has some on both sides, one of a single image keeps it in the first. */
export function holdOut(part: LabelledPart, share: number, seed: number): [rest: LabelledPart, held: LabelledPart] {
  const byClass = new Map<string, LabelledImage[]>(part.classes.map((label) => [label, []]));
  for (const image of part.images) byClass.get(image.label)!.push(image);
  const held = new Set<LabelledImage>();
  for (const images of byClass.values()) {
    const rank = new Map(images.map((image) => [image, hashSeed(seed, image.name)]));
    const count = Math.min(Math.max(Math.round(images.length * share), 1), images.length - 1);
    const drawn = [...images].sort((a, b) => rank.get(a)! - rank.get(b)! || (a.name < b.name ? -1 : 1));
    for (const image of drawn.slice(0, count)) held.add(image);
  }
  const percent = `${Number((100 * share).toFixed(1))} %`;
  const side = (name: string, inside: boolean): LabelledPart => ({
    ...part,
    name,
    images: part.images.filter((image) => held.has(image) === inside),
  });
  return [side(`${part.name} without ${percent}`, false), side(`${percent} of ${part.name}`, true)];
}

/** Files open at a time while image headers are read. */
const OPEN_FILES = 16;

/** Reads the headers of a part's images. What is wrong goes to `findings`; images of classes that are not learned are counted. */
export async function buildLabelled(
  part: LabelledPart,
  { categories, indexOf }: Classes,
  findings: Findings,
  brokenImages: 'error' | 'drop',
): Promise<Dataset<WholeImageAnnotation>> {
  const limit = pLimit(OPEN_FILES);
  const read = async ({ name, file, label, where }: LabelledImage): Promise<WholeImageAnnotation | undefined> => {
    const classIndex = indexOf(label);
    if (classIndex === undefined) {
      findings.count('image of a class that is not learned', () => ({ message: `class "${label}"`, where }));
      return undefined;
    }
    try {
      const { width, height } = await readImageSize(file);
      return {
        kind: 'wholeImage',
        imageId: name,
        file,
        width,
        height,
        boxes: xyxy([]),
        classes: [],
        ignore: [],
        label: classIndex,
      };
    } catch (error) {
      if (!(error instanceof FinetuneError)) throw error;
      const problem = error.problems[0]!;
      const reason = problem.code === 'E_IMAGE_MISSING' ? 'image missing' : 'image cannot be decoded';
      findings.report(brokenImages, reason, () =>
        where.line === undefined ? problem : { ...problem, where, message: `${file}: ${problem.message}` },
      );
      return undefined;
    }
  };
  const annotations = (await Promise.all(part.images.map((image) => limit(read, image)))).filter(
    (annotation) => annotation !== undefined,
  );
  return {
    name: part.name,
    categories,
    annotations,
    dropped: findings.dropped,
    toCoco: () => ({
      images: annotations.map(({ imageId, width, height }) => ({
        id: imageId,
        width,
        height,
        file_name: String(imageId),
      })),
      categories,
      annotations: [],
    }),
  };
}
