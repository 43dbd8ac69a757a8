import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { FinetuneError } from '../../errors.js';
import type { FrameOptions } from '../image/frame.js';
import { readImageHeader } from '../image/image.js';
import { loadSample } from '../pipeline/loadSample.js';
import type { Annotation, Dataset, PartName } from '../sample.js';
import type { Say } from './remark.js';

export interface ImageCheckOptions extends Pick<FrameOptions, 'size' | 'resize' | 'limits'> {
  readonly brokenImages?: 'error' | 'drop' | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onImage?: (done: number, total: number) => void;
}

type Parts = Partial<Readonly<Record<PartName, Dataset>>>;

/** Images being decoded at a time: the thread pool has four threads. */
const AT_ONCE = 8;

/** Decode every image of the parts as training would. Report the images that cannot be decoded, those that EXIF
 *  rotates, those with fewer bits than their files have room for, and those that show the same picture (equal pixels at the input's size, whatever their files). Returns
 *  false if the signal stopped it. */
export async function checkImages(parts: Parts, options: ImageCheckOptions, say: Say): Promise<boolean> {
  const jobs = (Object.keys(parts) as PartName[]).flatMap((part) =>
    parts[part]!.annotations.map((annotation) => ({ part, annotation })),
  );
  const pictures: (string | undefined)[] = new Array<undefined>(jobs.length).fill(undefined);
  const limit = pLimit(AT_ONCE);
  let done = 0;
  await Promise.all(
    jobs.map(({ part, annotation }, i) =>
      limit(async () => {
        if (options.signal?.aborted) return;
        pictures[i] = await checkImage(annotation, part, options, say);
        options.onImage?.(++done, jobs.length);
      }),
    ),
  );
  const first = new Map<string, (typeof jobs)[number]>();
  jobs.forEach((job, i) => {
    const picture = pictures[i];
    if (picture === undefined) return;
    const other = first.get(picture);
    if (other) saySame(job, other, say);
    else first.set(picture, job);
  });
  return done === jobs.length;
}

/** The hash of the pixels that the network would see; undefined if the image cannot be decoded. */
async function checkImage(annotation: Annotation, part: PartName, options: ImageCheckOptions, say: Say) {
  const { file, width, height } = annotation;
  const { brokenImages = 'error', size, resize = 'stretch', limits } = options;
  try {
    const { picture } = await loadSample(annotation, { size, resize, limits, checkSize: true });
    const { orientation, storage } = await readImageHeader(file);
    if (storage.kind === 'deep' && storage.bits < 16)
      say({
        level: 'warning',
        part,
        code: 'W_IMAGE_DEPTH',
        message: `the image has 16 bits per channel, but uses only ${storage.bits} of them: values up to ${2 ** storage.bits - 1} become 0 to 255`,
        where: { file },
        fix: 'if its full range is larger, save it with 8 bits, scaled as all your images are',
      });
    if (orientation > 1)
      say({
        level: 'warning',
        part,
        code: 'W_IMAGE_ROTATED',
        message: `EXIF orientation ${orientation} rotates the image; upright it is ${width}x${height}, and its boxes must be for that`,
        where: { file },
        fix: 'look at it with finetune check --augment; if the boxes are off, rotate the pixels and remove the orientation',
      });
    return createHash('sha1').update(`${width}x${height}`).update(picture.data).digest('base64');
  } catch (error) {
    if (!(error instanceof FinetuneError)) throw error;
    const level = brokenImages === 'drop' ? 'warning' : 'error';
    for (const problem of error.problems) say({ level, part, ...problem });
    return undefined;
  }
}

interface Job {
  readonly part: PartName;
  readonly annotation: Annotation;
}

function saySame({ part, annotation }: Job, other: Job, say: Say): void {
  if (part !== other.part) return; // overlap.ts compares parts
  say({
    level: 'warning',
    part,
    code: 'W_IMAGE_DUPLICATE',
    message: `the same picture as ${other.annotation.file}`,
    where: { file: annotation.file },
    fix: 'remove one of them',
  });
}
