import { exportModel, type ExportOptions } from '../export/exportModel.js';
import { printable } from '../printable.js';
import { watched } from './watched.js';

/** `finetune export`: a trained model in another format. The last line on stdout is the model folder. */
export async function exportCommand(model: string, options: ExportOptions, { json }: { json: boolean }): Promise<void> {
  const { directory, card } = await watched((hooks) => exportModel(model, { ...options, ...hooks }));
  if (json) console.log(JSON.stringify(card));
  else {
    const { images, maxDifference, metric } = card.parity;
    const score = metric
      ? `, ${metric.name} ${metric.exported.toFixed(4)} (checkpoint: ${metric.checkpoint.toFixed(4)})`
      : '';
    console.error(`compared on ${images} images: outputs differ by ${maxDifference.toExponential(1)} at most${score}`);
  }
  console.log(printable(directory));
}
