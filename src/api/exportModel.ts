import { z } from 'zod';
import { exportModel as run, type Exported, type ExportOptions } from '../export/exportModel.js';
import { FORMATS, NMS_PLACES, QUANTIZATIONS, TARGETS } from '../export/names.js';
import { fraction } from '../optionValues.js';
import { checkArgument, checkText, hooks } from './arguments.js';

const text = z.string().min(1);

const optionsSchema = z.strictObject({
  ...hooks,
  format: z.enum(FORMATS).optional(),
  for: z.enum(TARGETS).optional(),
  quantize: z.enum(QUANTIZATIONS).optional(),
  nms: z.enum(NMS_PLACES).optional(),
  out: text.optional(),
  images: text.optional(),
  tolerance: fraction.optional(),
});

/** Writes a trained model, a run directory (its best weights) or a checkpoint, in another format: a folder with the model and
 *  `model-card.json`, which `openModel` and other programs read. The files are run in their own runtime on images of the
 *  validation part, and must find what the checkpoint finds; else nothing is left behind.
 *  Throws E_USAGE, E_MODEL_PATH, E_EXPORT_OUT if the folder has files, E_EXPORT_DATA if there are no images to compare on,
 *  E_EXPORT_PARITY, E_EXPORT_SIZES, E_EXPORT_TARGET if the application of `for` cannot use the model, and the signal's reason when aborted. */
export async function exportModel(path: string, options: ExportOptions): Promise<Exported> {
  checkText('path', path);
  checkArgument('options', optionsSchema, options);
  return run(path, options);
}
