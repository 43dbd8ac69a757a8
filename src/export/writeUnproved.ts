import { join } from 'node:path';
import { makeFolder, writeNew } from '../files/folders.js';
import { CARD_FILE } from '../modelFolder/card.js';
import { makeCard } from './card.js';
import { asItIs, checkHolds, netOf } from './exportModel.js';
import { formats } from './formats.js';
import type { FormatName } from './names.js';
import type { Checkpoint } from './source.js';

/** Writes the model folder of a checkpoint in float32 without comparing it with the checkpoint: for measurements of its speed,
 *  not for use. Throws E_EXPORT_OP if the format cannot hold the model. */
export async function writeUnproved(checkpoint: Checkpoint, name: FormatName, folder: string): Promise<void> {
  const format = formats.find((one) => one.name === name)!;
  const net = netOf(checkpoint);
  checkHolds(format, net, checkpoint.file.source.file);
  await makeFolder(folder);
  const { files, call } = await format.write(folder, net);
  const card = await makeCard(checkpoint, {
    ...{ format: name, quantize: undefined, nms: 'out', target: undefined, folder, files, call },
    adapted: asItIs(checkpoint, net),
    parity: { images: 0, maxDifference: 0, metric: null, engines: { checkpoint: 'none', exported: 'none' } },
  });
  await writeNew(join(folder, CARD_FILE), JSON.stringify(card));
}
