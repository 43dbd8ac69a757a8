import { exportDemo, type DemoOptions } from '../export/demo/exportDemo.js';
import { exportModel, type ExportOptions } from '../export/exportModel.js';
import type { ModelCard } from '../modelFolder/card.js';
import { printable } from '../printable.js';
import { watched } from './watched.js';

/** `finetune export`: a trained model in another format. The last line on stdout is the model folder. */
export async function exportCommand(model: string, options: ExportOptions, { json }: { json: boolean }): Promise<void> {
  const { directory, card } = await watched((hooks) => exportModel(model, { ...options, ...hooks }));
  if (json) console.log(JSON.stringify(card));
  else tellParity(card);
  console.log(printable(directory));
}

/** `finetune export --demo`: a trained model as a web page. The last line on stdout is its folder. */
export async function exportDemoCommand(
  model: string,
  options: DemoOptions,
  { json }: { json: boolean },
): Promise<void> {
  const { directory, bytes, samplesFrom, card } = await watched((hooks) => exportDemo(model, { ...options, ...hooks }));
  if (json) console.log(JSON.stringify(card));
  else {
    tellParity(card);
    if (samplesFrom === 'validation')
      console.error(
        'note: the page holds images of your validation part: publish it only if their licence and the people on them allow that, or use --samples 0',
      );
    console.error(`${(bytes / 1e6).toFixed(1)} MB: open index.html in a browser, or put the folder on any web server`);
  }
  console.log(printable(directory));
}

function tellParity({ parity: { images, maxDifference, metric } }: ModelCard): void {
  const score = metric
    ? `, ${metric.name} ${metric.exported.toFixed(4)} (checkpoint: ${metric.checkpoint.toFixed(4)})`
    : '';
  console.error(`compared on ${images} images: outputs differ by ${maxDifference.toExponential(1)} at most${score}`);
}
