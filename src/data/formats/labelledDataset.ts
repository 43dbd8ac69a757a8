import pLimit from 'p-limit';
import { xyxy } from '../../geometry/box.js';
import { FinetuneError, type Where } from '../../errors.js';
import { hashSeed } from '../../random.js';
import { IMAGENET_CATEGORIES } from '../../categories/imagenet.js';
import type { Findings } from '../findings.js';
import { readImageSize } from '../image/image.js';
import { numberCategories, selectCategories } from '../categories.js';
import type { Category, ClassIndex, Dataset, WholeImageAnnotation } from '../sample.js';

/** An image with its class. */
export interface LabelledImage {
  /** Unique in its part, such as the path from the part's folder. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly label: string;
  readonly where: Where;
}

/** A part whose files were listed, but not opened yet. */
export interface LabelledPart {
  readonly name: string;
  /** Names of its classes, sorted; a class may have no image. */
  readonly classes: readonly string[];
  readonly images: readonly LabelledImage[];
  /** The folder or file that lists the classes. */
  readonly place: string;
}

/** Names of the classes to learn. `imagenet-1k`: the thousand classes of ImageNet in the order of its classifiers;
 *  labels are synsets or names. */
export type WantedClasses = readonly string[] | 'imagenet-1k';

/** The classes to learn, and which label means which class. */
export interface Classes {
  readonly categories: readonly Category[];
  readonly indexOf: (label: string) => ClassIndex | undefined;
}

/** The classes to learn: the wanted ones, or all of the training part. Throws E_DATA_CATEGORY for a name that the part
 *  does not have, and E_DATA_CLASSES if there is only one class, unless `singleClass` allows that. */
export function chooseClasses(
  { classes, place }: LabelledPart,
  wanted: WantedClasses | undefined,
  singleClass = false,
): Classes {
  if (wanted === 'imagenet-1k') {
    const categories = numberCategories(IMAGENET_CATEGORIES.map(({ name }) => name));
    const indices = new Map(
      IMAGENET_CATEGORIES.flatMap(
        ({ synset, name }, i) =>
          [
            [synset, i],
            [name, i],
          ] as const,
      ),
    );
    return { categories, indexOf: (label) => indices.get(label) as ClassIndex | undefined };
  }
  const categories = selectCategories(numberCategories(classes), wanted, { file: place });
  const [only, second] = categories;
  if (only && !second && !singleClass) {
    const message = `there is only one class, "${only.name}", so there is nothing to classify`;
    const fix = 'a class is a folder inside the part’s folder, or a label of the csv: check data.root and data.train';
    throw new FinetuneError({ code: 'E_DATA_CLASSES', message, where: { file: place }, fix });
  }
  const indices = new Map(categories.map(({ name }, i) => [name, i as ClassIndex]));
  return { categories, indexOf: (label) => indices.get(label) };
}

/** Splits a part in two, class by class, by a hash of the images' names and the seed, so that adding an image moves few
 *  others. A class of two or more images has some on both sides; a single image stays in the first. */
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

/** Maximum number of open files while image headers are read. */
const OPEN_FILES = 16;

/** Makes a data set of a part; reads the headers of its images. Problems go to `findings`; images of classes that are
 *  not learned are left out and counted. */
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
