import { resolvedRecipeText } from '../recipe/resolved.js';
import { reopenRun } from './continueRun.js';
import { writeDivision } from './division.js';
import type { RunDirectory } from './directory.js';
import type { PlannedRun } from './plan.js';
import { ownVersion } from './versions.js';

/** What a run was begun with, for its directory and its report. */
export interface BegunRun {
  /** Versions of everything that the results depend on. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Writes what a run is begun with: `recipe.yaml`, `versions.json`, `plan.json` if something was planned, and
 *  `split.json` if images were divided. */
export async function beginRun(
  run: RunDirectory,
  { recipe, backend, data, plan }: PlannedRun,
  { resume, extend }: { readonly resume: boolean; readonly extend: number | undefined },
): Promise<BegunRun> {
  const versions = await collectVersions(`${backend.name} ${backend.version}`);
  if (plan) await run.write('plan.json', `${JSON.stringify(plan, null, 2)}\n`);
  if (data.divided) await writeDivision(run, data.divided.placed);
  if (!resume || extend !== undefined) await run.write('recipe.yaml', resolvedRecipeText(recipe));
  if (extend !== undefined) await reopenRun(run.path);
  await run.write('versions.json', `${JSON.stringify(versions, null, 2)}\n`);
  return { versions };
}

async function collectVersions(engine: string): Promise<Record<string, string>> {
  const { default: sharp } = await import('sharp');
  return {
    'tfjs-finetune': ownVersion(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    engine,
    sharp: sharp.versions.sharp,
    libvips: sharp.versions.vips,
  };
}
