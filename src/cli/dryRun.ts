import { dryRun, type Forecast } from '../trials/dryRun.js';
import type { Recipe } from '../recipe/schema.js';
import { watched } from './watched.js';

/** `finetune recipe.yaml --dry-run`: the forecast on stdout, as text or a line of JSON. */
export async function printForecast(recipe: Recipe, { json = false }: { readonly json?: boolean }): Promise<void> {
  const forecast = await watched((hooks) => dryRun(recipe, hooks));
  if (json) console.log(JSON.stringify(forecast));
  else for (const line of linesOf(forecast)) console.log(line);
}

/** The forecast as lines of text. */
export function linesOf(forecast: Forecast): string[] {
  const { engine, batch, epochs, stepsPerEpoch, seconds, parts, memory, disk, remarks } = forecast;
  const { ready, step, cachedStep, evaluation, checkpoint } = parts;
  const cached = cachedStep < step ? `, ${cachedStep.toFixed(3)} s with cached features` : '';
  return [
    `one step of everything succeeded, on ${engine}`,
    `time    ${duration(seconds)}: ${epochs} epochs of ${stepsPerEpoch} steps of ${batch} images`,
    `        a step ${step.toFixed(3)} s${cached}, an evaluation ${evaluation.toFixed(1)} s, a checkpoint ${checkpoint.toFixed(2)} s, getting ready ${ready.toFixed(0)} s`,
    `memory  ${size(memory.needed)}, of ${size(memory.free)} free`,
    `disk    ${size(disk.needed)}, of ${size(disk.free)} free`,
    ...remarks,
  ];
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const size = (bytes: number): string =>
  bytes < 10 * 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(0)} GiB`;
