import { z } from 'zod';
import { ENGINES } from '../engine/names.js';
import { count, fraction } from '../optionValues.js';
import { tiling } from '../tasks/description/tiling.js';
import { openModel as open, type OpenedModel, type OpenModelOptions } from '../predict/openModel.js';
import { checkArgument, checkText, hooks } from './arguments.js';

const optionsSchema = z.strictObject({
  ...hooks,
  scoreThreshold: fraction.optional(),
  tiles: z.union([z.literal(false), tiling]).optional(),
  engine: z.enum(['auto', ...ENGINES]).optional(),
  threads: z.union([z.literal('auto'), count]).optional(),
});

/** Opens a trained model: a run directory (its best weights), or a safetensors file that this package wrote, which
 *  describes its model. Call `dispose` when done.
 *  Throws E_USAGE, E_MODEL_PATH if there is no such model, E_MODEL_DESCRIPTION if the file does not describe a model, E_WEIGHTS_…, E_ENGINE_UNAVAILABLE. */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<OpenedModel> {
  checkText('path', path);
  checkArgument('options', optionsSchema, options);
  return open(path, options);
}
