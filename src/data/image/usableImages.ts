import pLimit from 'p-limit';
import { FinetuneError, type Problem } from '../../errors.js';
import type { Findings } from '../findings.js';
import type { Annotation, Dataset } from '../sample.js';
import { assertSize } from './checkSize.js';

/** Maximum number of open files while headers are read. */
const OPEN_FILES = 16;

/** A part without the images whose files cannot be read, or have another size than their annotations say: boxes of
 *  another version of an image would be written as if they were right. Problems go to `findings`, or with `drop` are
 *  counted there. */
export async function usableImages(dataset: Dataset, policy: 'error' | 'drop', findings: Findings): Promise<Dataset> {
  const limit = pLimit(OPEN_FILES);
  const problems = await Promise.all(dataset.annotations.map((annotation) => limit(problemOf, annotation)));
  for (const problem of problems) if (problem) findings.report(policy, reasonOf(problem), () => problem);
  return { ...dataset, annotations: dataset.annotations.filter((_, index) => !problems[index]) };
}

async function problemOf(annotation: Annotation): Promise<Problem | undefined> {
  if (annotation.kind === 'wholeImage') return undefined; // its size says nothing about its class
  try {
    await assertSize(annotation, true);
    return undefined;
  } catch (error) {
    if (error instanceof FinetuneError) return error.problems[0];
    throw error;
  }
}

const reasonOf = ({ code }: Problem): string =>
  code === 'E_IMAGE_SIZE' ? 'image has another size than its annotation says' : 'image cannot be decoded';
