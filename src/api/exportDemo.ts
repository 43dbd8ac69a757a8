import { z } from 'zod';
import { DEMO_FORMATS } from '../demo/content.js';
import { exportDemo as run, type DemoOptions, type ExportedDemo } from '../export/demo/exportDemo.js';
import { NMS_PLACES, QUANTIZATIONS } from '../export/names.js';
import { fraction } from '../optionValues.js';
import { checkArgument, checkText, hooks } from './arguments.js';

const text = z.string().min(1);

const optionsSchema = z.strictObject({
  ...hooks,
  format: z.enum(DEMO_FORMATS).optional(),
  quantize: z.enum(QUANTIZATIONS).optional(),
  nms: z.enum(NMS_PLACES).optional(),
  out: text.optional(),
  images: text.optional(),
  tolerance: fraction.optional(),
  with: z.array(text).optional(),
  samples: z.int().min(0).optional(),
});

/** Writes a page that runs a trained model in a browser, with all that it needs: a folder to open from the disk or to put on any
 *  web server. The model is exported and proved as by `exportModel`.
 *  Throws what exportModel throws, E_MODEL_FOLDER for a folder of `with` that holds no model, and E_ENGINE_UNAVAILABLE if the
 *  package of the page's engine is not installed. */
export async function exportDemo(path: string, options: DemoOptions = {}): Promise<ExportedDemo> {
  checkText('path', path);
  checkArgument('options', optionsSchema, options);
  return run(path, options);
}
