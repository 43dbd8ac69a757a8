import { join } from 'node:path';
import { z } from 'zod';
import type { PartName } from '../data/sample.js';
import { readOwnJson } from '../files/readOwnJson.js';
import type { RunDirectory } from './directory.js';

const FILE = 'split.json';
const schema = z.record(z.string(), z.enum(['train', 'val', 'test']));

/** Keeps in the run directory how `data.split` divided the images, so that images that are added later change neither a
 *  resumed run nor the score of a finished one. */
export const writeDivision = (run: RunDirectory, placed: Readonly<Record<string, PartName>>): Promise<void> =>
  run.write(FILE, `${JSON.stringify(placed, null, 1)}\n`);

/** How the images of a run were divided; undefined if they were not. */
export async function keptDivision(directory: string): Promise<Readonly<Record<string, PartName>> | undefined> {
  const fix = 'restore it, or start a new run';
  return readOwnJson(join(directory, FILE), { parse: (content) => schema.parse(content), fix });
}
